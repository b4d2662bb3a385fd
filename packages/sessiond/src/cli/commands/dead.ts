import type { Command } from 'commander'
import { escapeLine, escapeText } from '../../model/escape.ts'
import { textOfContent } from '../../model/text-of-content.ts'
import type { DeadLetter } from '../../store/store.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { formatPairs, formatTable } from '../format/table.ts'
import { formatAge, formatInstant } from '../format/time.ts'
import { wholeNumber } from '../parse-option.ts'
import { printResult } from '../print-result.ts'
import { parseMessageArgument, parseSessionArgument } from '../session-argument.ts'

interface ListOptions extends CommonOptions {
  readonly session?: string
  readonly limit?: number
}

const ID = ['<id>', "a message's id, or delivery:<n>"] as const

/** `sessiond dead`: messages that ended failed, and replies a sink refused, until someone decides. */
export function addDead(program: Command, context: CliContext): void {
  const dead = program.command('dead').description('dead letters: list, show, replay, drop')
  addCommand(dead, 'list', 'list dead letters')
    .option('--session <session>', 'only this session')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 1_000))
    .action(async ({ session, limit, ...options }: ListOptions) => {
      const query = {
        ...(session === undefined ? {} : { session: parseSessionArgument(session).id }),
        ...(limit === undefined ? {} : { limit }),
      }
      const { client } = await findHost(options, context)
      const letters = await client.listDead(query)
      printResult(context, options, { dead: letters }, () => describeDead(letters, context.now()))
    })
  addCommand(dead, 'show', 'show a dead letter whole')
    .argument(...ID)
    .action(async (argument: string, options: CommonOptions) => {
      const id = parseMessageArgument(argument)
      const letter = await (await findHost(options, context)).client.showDead(id)
      printResult(context, options, letter, () => describeLetter(letter))
    })
  addCommand(dead, 'replay', 'try a dead letter again, with no tries spent')
    .argument(...ID)
    .action(async (argument: string, options: CommonOptions) => {
      const id = parseMessageArgument(argument)
      const answer = await (await findHost(options, context)).client.replayDead(id)
      printResult(context, options, { id, ...answer }, () => `${id} waits again.\n`)
    })
  addCommand(dead, 'drop', 'drop a dead letter for good')
    .argument(...ID)
    .action(async (argument: string, options: CommonOptions) => {
      const id = parseMessageArgument(argument)
      const answer = await (await findHost(options, context)).client.dropDead(id)
      printResult(context, options, { id, ...answer }, () => `${id} is dropped.\n`)
    })
}

/** The table of `sessiond dead list`. */
export function describeDead(letters: readonly DeadLetter[], nowMs: number): string {
  if (letters.length === 0) return 'No dead letters.\n'
  const rows = letters.map((letter) => {
    const { id, sessionId, why, endedAtMs } = factsOf(letter)
    return [id, sessionId, formatAge(endedAtMs, nowMs), escapeLine(why, 80)]
  })
  return formatTable(['ID', 'SESSION', 'ENDED', 'WHY'], rows)
}

function describeLetter(letter: DeadLetter): string {
  const { id, sessionId, why, endedAtMs, content } = factsOf(letter)
  const pairs: [string, string][] = [
    ['id', id],
    ['session', sessionId],
    ['ended', formatInstant(endedAtMs)],
    ['tries', String(letter.kind === 'message' ? letter.message.tries : letter.delivery.attempts)],
    ['why', escapeLine(why)],
  ]
  if (letter.kind === 'delivery') pairs.push(['sink', letter.delivery.sink])
  return `${formatPairs(pairs)}\n${escapeText(textOfContent(content))}\n`
}

function factsOf(letter: DeadLetter) {
  if (letter.kind === 'delivery') {
    const { delivery, reply } = letter
    const { sessionId, endedAtMs } = delivery
    const why = `${delivery.sink}: ${delivery.lastError ?? 'refused'}`
    return { id: `delivery:${delivery.id}`, sessionId, endedAtMs, why, content: reply.content }
  }
  const { id, sessionId, endedAtMs, failure, error, content } = letter.message
  return { id, sessionId, endedAtMs, why: [failure, error].filter((each) => each !== null).join(': '), content }
}
