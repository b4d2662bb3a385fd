import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { runAgent } from '@sessiond/runner'
import { machineMs } from '../clock.ts'

/**
 * The agent of the benchmarks. `hold`: works for ever on its first attempt. Anything else: answers each message with
 * the instant just before the row is written, and notes beside it when the row was on disk.
 */
await runAgent(
  async ([message], context) => {
    if (message === undefined) return
    if (message.text === 'hold' && message.attempt === 1) return await new Promise<void>(() => {})
    await context.reply(JSON.stringify({ writtenMs: machineMs() }))
    if (message.text === 'note') {
      appendFileSync(join(context.workDir, 'on-disk'), `${JSON.stringify({ id: message.id, onDiskMs: machineMs() })}\n`)
    }
  },
  { per: 'message' },
)
