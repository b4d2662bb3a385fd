import { Zone } from '../decide/recurrence/zone.ts'
import type { Firing } from '../model/series.ts'

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const

/** An instant on the wall of a zone: `Tue 2030-01-01 09:00:00 +01:00`. */
export function tellWallTime(atMs: number, timeZone: string): string {
  const offsetMs = Zone.find(timeZone)?.offsetMs(atMs) ?? 0
  const wall = new Date(atMs + offsetMs)
  const iso = wall.toISOString()
  return `${WEEKDAYS[wall.getUTCDay()]} ${iso.slice(0, 10)} ${iso.slice(11, 19)} ${tellOffset(offsetMs)}`
}

/** The same, with its zone and how far off it is. */
export function tellInstant(atMs: number, { timeZone, nowMs }: { timeZone: string; nowMs: number }): string {
  return `${tellWallTime(atMs, timeZone)} (${timeZone}), ${tellSpan(atMs - nowMs)}`
}

/** What a change of the clocks makes of a firing, in words; "" for nothing. */
export function tellDst({ atMs, dst }: Firing, timeZone: string): string {
  if (dst === null) return ''
  const offsetMs = Zone.find(timeZone)?.offsetMs(atMs) ?? 0
  const clock = new Date(atMs + offsetMs).toISOString().slice(11, 16)
  if (dst === 'gap') return `clocks go forward: its time does not exist that day, so it runs at ${clock}, right after`
  return `clocks go back: ${clock} comes twice that day`
}

function tellOffset(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000)
  const two = (part: number) => String(part).padStart(2, '0')
  return `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** `in 3 d 4 h`, `2 h 5 min ago`, `now`. */
export function tellSpan(spanMs: number): string {
  let restMs = Math.abs(spanMs)
  const parts: string[] = []
  for (const [unit, unitMs] of UNITS) {
    const count = Math.floor(restMs / unitMs)
    restMs -= count * unitMs
    if (count > 0 && parts.length < 2) parts.push(`${count} ${unit}`)
    else if (parts.length === 1) break
  }
  if (parts.length === 0) return 'now'
  return spanMs < 0 ? `${parts.join(' ')} ago` : `in ${parts.join(' ')}`
}
