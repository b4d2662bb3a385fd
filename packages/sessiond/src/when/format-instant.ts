import { type LocalTime, localOf, offsetMinutes, weekdayOf } from './local-time.ts'

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const

/** Units of spans, largest first, with their milliseconds. */
export const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** An instant as the wall in an IANA zone shows it, cut to the second: `Tue 2030-01-01 09:00:00 +01:00`. */
export function formatWallTime(atMs: number, timeZone: string): string {
  return formatWholeWallTime(Math.floor(atMs / 1_000) * 1_000, timeZone)
}

/** The same with the fraction of its second, where there is one. */
export function formatWholeWallTime(atMs: number, timeZone: string): string {
  const local = localOf(atMs, timeZone)
  const day = `${WEEKDAYS[weekdayOf(local)]} ${dateOf(local)}`
  return `${day} ${timeOf(local)}${fractionOf(atMs)} ${formatOffset(atMs, timeZone)}`
}

/** `2030-01-31 09:00`, with seconds where there are some: as `parseWhen` reads it. */
export function formatLocal(local: LocalTime): string {
  return `${dateOf(local)} ${local.second === 0 ? timeOf(local).slice(0, 5) : timeOf(local)}`
}

/** `2030-01-31T09:00:00+01:00`: one instant wherever it is read. */
export function formatExact(atMs: number, timeZone: string): string {
  const local = localOf(atMs, timeZone)
  return `${dateOf(local)}T${timeOf(local)}${fractionOf(atMs)}${formatOffset(atMs, timeZone)}`
}

/** How long a span is, in its two largest units, rounded down: `3 d 4 h`, `10 min`, `0 s`. */
export function formatLength(ms: number): string {
  const first = UNITS.findIndex(([, unitMs]) => ms >= unitMs)
  if (first === -1) return '0 s'
  let restMs = ms
  const counts = UNITS.slice(first, first + 2).map(([unit, unitMs]) => {
    const count = Math.floor(restMs / unitMs)
    restMs -= count * unitMs
    return count === 0 ? '' : `${count} ${unit}`
  })
  return counts.filter((each) => each !== '').join(' ')
}

function dateOf({ year, month, day }: LocalTime): string {
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
}

function timeOf({ hour, minute, second }: LocalTime): string {
  return `${two(hour)}:${two(minute)}:${two(second)}`
}

/** Only where there is one, so that what is echoed is the whole instant. */
function fractionOf(ms: number): string {
  const fraction = ((ms % 1_000) + 1_000) % 1_000
  return fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}`
}

function formatOffset(ms: number, timeZone: string): string {
  const minutes = offsetMinutes(ms, timeZone)
  // Zones before standard time differ from UTC by odd seconds.
  const whole = Math.trunc(Math.abs(minutes))
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(whole / 60))}:${two(whole % 60)}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
