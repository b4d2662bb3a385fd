import type { Command } from 'commander'
import type { SessionSummary } from '../../model/session.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { formatTable } from '../format/table.ts'
import { formatAge } from '../format/time.ts'
import { wholeNumber } from '../parse-option.ts'
import { printResult } from '../print-result.ts'

interface SessionsOptions extends CommonOptions {
  readonly group?: string
  readonly after?: string
  readonly limit?: number
}

/** `sessiond sessions`: every session at a glance. */
export function addSessions(program: Command, context: CliContext): void {
  addCommand(program, 'sessions', 'list sessions')
    .option('--group <group>', 'only this group')
    .option('--after <session>', 'only sessions after this one, for paging')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 1_000))
    .action(async ({ group, after, limit, ...options }: SessionsOptions) => {
      const { client } = await findHost(options, context)
      const sessions = await client.listSessions({
        ...(group === undefined ? {} : { group }),
        ...(after === undefined ? {} : { after }),
        ...(limit === undefined ? {} : { limit }),
      })
      printResult(context, options, { sessions }, () => describeSessions(sessions, context.now()))
    })
}

/** The table of `sessiond sessions`. */
export function describeSessions(sessions: readonly SessionSummary[], nowMs: number): string {
  if (sessions.length === 0) return 'No sessions yet. The first message makes one: sessiond send <group> <text>\n'
  const head = ['SESSION', 'STATUS', 'RUN', 'PENDING', 'CLAIMED', 'DEAD', 'NEXT DUE', 'CREATED']
  const rows = sessions.map((each) => [
    each.id,
    each.status,
    each.epoch === 0 ? '-' : `${each.epoch} ${each.runState ?? 'gone'}`,
    String(each.pending),
    String(each.claimed),
    String(each.deadLetters),
    formatAge(each.nextDueAtMs, nowMs),
    formatAge(each.createdAtMs, nowMs),
  ])
  return formatTable(head, rows)
}
