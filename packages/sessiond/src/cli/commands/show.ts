import type { Command } from 'commander'
import type { SessionDetail } from '../../api.ts'
import { escapeLine } from '../../model/escape.ts'
import { archivePath } from '../../prune/archive/archive-paths.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { describeMessages, describeReplies } from '../format/message.ts'
import { describeExit } from '../format/run.ts'
import { formatPairs } from '../format/table.ts'
import { formatAge, formatInstant } from '../format/time.ts'
import { wholeNumber } from '../parse-option.ts'
import { printResult } from '../print-result.ts'
import { parseSessionArgument } from '../session-argument.ts'

interface ShowOptions extends CommonOptions {
  readonly limit?: number
}

/** `sessiond show <session>`: its messages, claims, run, tries and due times. */
export function addShow(program: Command, context: CliContext): void {
  addCommand(program, 'show', 'show a session: messages, claims, run, tries, due times')
    .argument('<session>', '<group>/<session>, or <group> for its session main')
    .option('--limit <n>', 'at most so many messages, the newest', wholeNumber(1, 1_000))
    .action(async (argument: string, { limit, ...options }: ShowOptions) => {
      const session = parseSessionArgument(argument)
      const { client } = await findHost(options, context)
      const detail = await client.showSession(session, limit)
      printResult(context, options, detail, () => describeSession(detail, context.now()))
    })
}

/** What `sessiond show` prints for people. */
export function describeSession(detail: SessionDetail, nowMs: number): string {
  const { session, summary, run, next, messages, replies } = detail
  const pairs: [string, string][] = [
    ['session', session.id],
    ['status', session.status],
    ['created', `${formatInstant(session.createdAtMs)} (${formatAge(session.createdAtMs, nowMs)})`],
    ['messages', `${summary.pending} pending, ${summary.claimed} claimed, ${summary.deadLetters} dead letters`],
  ]
  if (session.archivedAtMs !== null) {
    pairs.push(['archived', `${formatInstant(session.archivedAtMs)}, ${archivePath(session.id)} in the data directory`])
  }
  if (summary.nextDueAtMs !== null) {
    pairs.push(['next due', `${formatInstant(summary.nextDueAtMs)} (${formatAge(summary.nextDueAtMs, nowMs)})`])
  }
  pairs.push(['run', describeRun(detail, nowMs)])
  pairs.push(['next step', `${next.action}: ${escapeLine(next.because, 200)}`])
  if (run?.end != null)
    pairs.push(['run ended', `${run.end} ${escapeLine(JSON.stringify(run.endEvidence ?? {}), 200)}`])
  if (session.spawnFailures > 0) {
    const failed = `${session.spawnFailures} in a row, next ${formatAge(session.spawnNotBeforeMs, nowMs)}`
    pairs.push(['failed starts', `${failed}: ${escapeLine(session.lastSpawnError ?? '', 200)}`])
  }
  const sections = [formatPairs(pairs), describeMessages(messages, nowMs), describeReplies(replies, messages, nowMs)]
  const failures = messages.filter((each) => each.error !== null)
  sections.push(...failures.map((each) => `${each.id}: ${escapeLine(each.error ?? '', 500)}\n`))
  return sections.filter((section) => section !== '').join('\n')
}

function describeRun({ session, run }: SessionDetail, nowMs: number): string {
  if (run === null) return session.epoch === 0 ? 'none yet' : `none (last was ${session.epoch})`
  const since = run.startedAtMs === null ? 'not started' : `started ${formatAge(run.startedAtMs, nowMs)}`
  const ended = run.state === 'gone' ? `, exit ${describeExit(run)}` : ''
  return `${run.epoch} ${run.state} (${run.runtime}, ${since}${ended})`
}
