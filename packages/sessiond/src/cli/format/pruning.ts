import type { PlannedRemovalLine, Pruning, PruningPlan } from '../../api.ts'
import { escapeLine } from '../../model/escape.ts'
import { sumOf } from '../../prune/summarise-plan.ts'
import type { PrunedRows } from '../../store/store.ts'
import { formatBytes } from './bytes.ts'
import { describeReason, describeStays, formatPlanSummary } from './prune-plan.ts'
import { formatTable } from './table.ts'

/** Up to where a plan counts rows and closed sessions. */
const COUNTED = 100_000
const PATH_CHARS = 300

/** What a pruning would do: files by class and session, rows, closed sessions, trash. */
export function formatPruningPlan(plan: PruningPlan): string {
  const { rows, areRowsWhole, closedSessions, trash } = plan
  const counted = Object.entries(rows).filter(([, count]) => count > 0)
  const table = formatTable(
    ['ROWS', 'COUNT'],
    counted.map(([name, count]) => [name, areRowsWhole ? atLeast(count) : `${count} or more`]),
  )
  const others = [
    closedSessions !== null && closedSessions > 0
      ? `Closed sessions to be packed away: ${atLeast(closedSessions)}\n`
      : '',
    trash.entries > 0
      ? `From the trash: ${countOf(trash.entries, 'entry', 'entries')}, ${formatBytes(trash.bytes)}\n`
      : '',
  ].join('')
  const more = areRowsWhole || counted.length > 0 ? '' : 'Rows: there are too many to count them all.\n'
  return [formatPlanSummary(plan), table, more, others].filter((part) => part !== '').join('\n')
}

/** One removal on a line of its own. Paths are the words of whoever made them. */
export function formatRemoval({ bytes, className, root, path, isFolder, reason }: PlannedRemovalLine): string {
  const where = escapeLine(`${root}/${path}${isFolder ? '/' : ''}`, PATH_CHARS)
  return `${formatBytes(bytes)}  ${escapeLine(className)}  ${describeReason(reason)}  ${where}\n`
}

/** What came of a plan: what went, what stayed and why. */
export function formatPruning(plan: PruningPlan, { progress, outcome, state }: Pruning): string {
  const { classes, rows, closedSessions, trash } = progress
  const planned = new Map(plan.classes.map(({ name, removed }) => [name, removed.entries]))
  const told = classes.filter(({ name, removed }) => removed.entries > 0 || (planned.get(name) ?? 0) > 0)
  const table = formatTable(
    ['CLASS', 'PLANNED', 'WENT', 'BYTES', 'STAYED'],
    told.map(({ name, removed, stays }) => [
      escapeLine(name),
      String(planned.get(name) ?? 0),
      String(removed.entries),
      formatBytes(removed.bytes),
      describeStays(stays) || '-',
    ]),
  )
  const files = sumOf(classes.map(({ removed }) => removed))
  const folder = outcome?.trashFolder ?? null
  const verb = folder === null ? 'removed' : `put aside in ${folder}`
  const lines = [
    `${countOf(files.entries, 'entry', 'entries')}, ${formatBytes(files.bytes)} ${verb}; ${describeRows(rows)}`,
    closedSessions.archived > 0
      ? `${countOf(closedSessions.archived, 'closed session', 'closed sessions')} packed away, ${formatBytes(closedSessions.bytes)}`
      : '',
    closedSessions.failed > 0 ? `${closedSessions.failed} closed sessions could not be packed away: they stay` : '',
    trash.entries > 0
      ? `from the trash: ${countOf(trash.entries, 'entry', 'entries')}, ${formatBytes(trash.bytes)}`
      : '',
    state === 'finished' && (outcome?.stoppedAt ?? null) !== null
      ? 'Stopped before its end: the next pruning goes on.'
      : '',
    outcome?.isMore === true ? 'There is more than one plan holds: prune again.' : '',
  ].filter((line) => line !== '')
  return `${table}${lines.join('\n')}\n`
}

/** How far a pruning is, on one line. */
export function formatProgress({
  stage,
  looked,
  planned,
  classes,
  rows,
  closedSessions,
  trash,
}: Pruning['progress']): string {
  switch (stage) {
    case 'closedSessions':
      return `closed sessions: ${closedSessions.archived} packed away`
    case 'files': {
      const { entries, bytes } = sumOf(classes.map(({ removed }) => removed))
      return `files: ${looked} of ${planned}, ${entries} gone, ${formatBytes(bytes)}`
    }
    case 'rows':
      return describeRows(rows)
    case 'trash':
      return `trash: ${trash.entries} gone, ${formatBytes(trash.bytes)}`
    case null:
      return 'done'
  }
}

function describeRows(rows: PrunedRows): string {
  const sum = Object.values(rows).reduce((total, count) => total + count, 0)
  return countOf(sum, 'row', 'rows')
}

function countOf(count: number, one: string, many: string): string {
  return count === 1 ? `one ${one}` : `${count} ${many}`
}

function atLeast(count: number): string {
  return count >= COUNTED ? `${COUNTED} or more` : String(count)
}
