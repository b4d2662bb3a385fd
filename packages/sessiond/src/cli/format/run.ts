import type { Run } from '../../model/run.ts'
import { formatTable } from './table.ts'
import { formatAge, formatSpan } from './time.ts'

/** Runs as a table, oldest first. */
export function describeRuns(runs: readonly Run[], nowMs: number): string {
  const head = ['RUN', 'STATE', 'RUNTIME', 'STARTED', 'LASTED', 'END', 'EXIT']
  const rows = [...runs]
    .sort((a, b) => a.epoch - b.epoch)
    .map((each) => [
      String(each.epoch),
      each.state,
      each.runtime,
      formatAge(each.startedAtMs, nowMs),
      each.startedAtMs === null ? '-' : formatSpan((each.endedAtMs ?? nowMs) - each.startedAtMs),
      each.end ?? '-',
      describeExit(each),
    ])
  return formatTable(head, rows)
}

/** How a run ended, in a word: exit code, signal, or want of memory. */
export function describeExit({ exit }: Run): string {
  if (exit === null) return '-'
  const how = exit.signal ?? (exit.code === null ? 'unknown' : `code ${exit.code}`)
  return exit.oomKilled ? `${how}, out of memory` : how
}
