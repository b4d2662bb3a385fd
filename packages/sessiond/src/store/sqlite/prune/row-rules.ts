import type { RowRetention } from '../../../model/retention.ts'
import { NO_ROWS, type PrunedRows, ROW_CLASSES, type RowPruning } from '../../store.ts'
import { groupOf } from '../rows.ts'

export function addRows(a: PrunedRows, b: Partial<PrunedRows>): PrunedRows {
  const sums = ROW_CLASSES.map((name) => [name, a[name] + (b[name] ?? 0)] as const)
  return { ...NO_ROWS, ...Object.fromEntries(sums) }
}

/** Figures of the group a row is of; lines of the host itself go by the host's. */
export function rulesOf(pass: RowPruning, sessionId: string | null): RowRetention {
  return (sessionId === null ? undefined : pass.groups.get(groupOf(sessionId))) ?? pass.retention
}

/** Whether something's time is over: longer ago than it is kept. What is from the future is not. */
export function isOver(atMs: number, keptMs: number | null, nowMs: number): boolean {
  return keptMs !== null && nowMs - atMs > keptMs
}

/** The instant at or after which no group lets anything of these classes go; null: nothing goes at all. */
export function youngestKeptAtMs(pass: RowPruning, ...classes: readonly (keyof RowRetention)[]): number | null {
  const figures = [pass.retention, ...pass.groups.values()].flatMap((rules) => classes.map((name) => rules[name]))
  const shortest = figures
    .filter((figure) => figure !== null)
    .reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  return shortest === Number.POSITIVE_INFINITY ? null : pass.nowMs - shortest
}
