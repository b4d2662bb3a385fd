import type { Firing } from '../model/series.ts'
import { formatLength, formatLocal, formatWallTime } from './format-instant.ts'
import { localOf } from './local-time.ts'

/** An instant on the wall of a zone, with the zone and how far off it is. */
export function tellInstant(atMs: number, { timeZone, nowMs }: { timeZone: string; nowMs: number }): string {
  return `${formatWallTime(atMs, timeZone)} (${timeZone}), ${tellSpan(atMs - nowMs)}`
}

/** What a change of the clocks makes of a firing, in words; "" for nothing. */
export function tellDst({ atMs, dst }: Firing, timeZone: string): string {
  if (dst === null) return ''
  const clock = formatLocal(localOf(atMs, timeZone)).slice(11, 16)
  if (dst === 'gap') return `clocks go forward: its time does not exist that day, so it runs at ${clock}, right after`
  return `clocks go back: ${clock} comes twice that day`
}

/** `in 3 d 4 h`, `2 h 5 min ago`, `now`. */
export function tellSpan(spanMs: number): string {
  const lengthMs = Math.abs(spanMs)
  if (lengthMs < 1_000) return 'now'
  return spanMs < 0 ? `${formatLength(lengthMs)} ago` : `in ${formatLength(lengthMs)}`
}
