import type { CompiledSchedule } from './compile-schedule.ts'

/** Due instants in a row: how many, the first and last of them, and the newest by themselves. */
export interface DueRange {
  readonly count: number
  readonly firstMs: number
  readonly lastMs: number
  /** The newest, oldest first, at most TAIL. */
  readonly tail: readonly number[]
  /** False: there are more after `lastMs`; ask again from there. */
  readonly isWhole: boolean
}

/** How many of the newest are told one by one: as many as may be caught up with, and the one before them. */
export const TAIL = 101

/** Instants walked in one go: some 20 ms of them, whatever the schedule. */
const WALKED_AT_ONCE = 2_000

/** Tells the due instants in (fromMs, toMs]; null: there are none. Bounded in time and memory, whatever lies between. */
export function dueRange(schedule: CompiledSchedule, fromMs: number, toMs: number): DueRange | null {
  if (fromMs >= toMs) return null
  const { grid } = schedule
  if (grid !== null) return gridRange(grid, fromMs, toMs)
  const { firings, isWhole } = schedule.upTo(fromMs, toMs, WALKED_AT_ONCE)
  const [first, last] = [firings[0], firings.at(-1)]
  if (first === undefined || last === undefined) return null
  const tail = firings.slice(-TAIL).map(({ atMs }) => atMs)
  return { count: firings.length, firstMs: first.atMs, lastMs: last.atMs, tail, isWhole }
}

/** Counted, not walked: a second's grid has 31 million instants a year. */
function gridRange(grid: { readonly everyMs: number; readonly anchorMs: number }, fromMs: number, toMs: number) {
  const { everyMs, anchorMs } = grid
  const first = Math.max(0, Math.floor((fromMs - anchorMs) / everyMs) + 1)
  const last = Math.floor((toMs - anchorMs) / everyMs)
  if (last < first) return null
  const length = Math.min(TAIL, last - first + 1)
  const tail = Array.from({ length }, (_, index) => anchorMs + (last - length + 1 + index) * everyMs)
  return {
    count: last - first + 1,
    firstMs: anchorMs + first * everyMs,
    lastMs: anchorMs + last * everyMs,
    tail,
    isWhole: true,
  }
}
