/** A program of a group's own: warns once, answers with what it knows. */
import { RetryLater, runAgent } from '../../src/index.ts'

process.emitWarning('a warning of the agent')

await runAgent(
  async (messages, { reply, session, epoch, signal, message }) => {
    if (message.text === 'limit') throw new RetryLater(60_000, 'limited')
    if (message.text === 'hang') await new Promise((_, reject) => signal.addEventListener('abort', reject))
    await reply(`${session} ${epoch} ${messages.length}`)
  },
  { per: 'message' },
)
