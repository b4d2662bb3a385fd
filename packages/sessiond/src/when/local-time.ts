/** What calendar and clock on the wall show: a date and a time of day, to the second, of no zone. */
export interface LocalTime {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const HOUR_MS = 3_600_000
/** Zones change rarely: within two days there is at most one change, and these find the offsets on both of its sides. */
const PROBES_MS = [-24 * HOUR_MS, -12 * HOUR_MS, 0, 12 * HOUR_MS, 24 * HOUR_MS]

/** Making one costs far more than using it. As many as there are zones, since only names Intl knows get here. */
const FORMATS = new Map<string, Intl.DateTimeFormat>()

/** What the wall shows in `timeZone` at an instant. Throws RangeError for a zone that Intl does not know. */
export function localOf(ms: number, timeZone: string): LocalTime {
  const found: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {}
  for (const { type, value } of formatFor(timeZone).formatToParts(ms)) found[type] = value
  return {
    year: Number(found.year),
    month: Number(found.month),
    day: Number(found.day),
    hour: Number(found.hour),
    minute: Number(found.minute),
    second: Number(found.second),
  }
}

/** The instants at which the wall in `timeZone` shows `local`, oldest first: none in a gap, two when it comes twice. */
export function instantsOf(local: LocalTime, timeZone: string): number[] {
  const wallMs = wallMsOf(local)
  return candidatesOf(wallMs, timeZone).filter((ms) => wallMsOf(localOf(ms, timeZone)) === wallMs)
}

/**
 * For a `local` that no instant shows: the last instant before the gap and the first after it that are as far from it as
 * `local` is within it. 02:30 of a gap from 02:00 to 03:00 gives 01:30 and 03:30.
 */
export function aroundGap(local: LocalTime, timeZone: string): number[] {
  return candidatesOf(wallMsOf(local), timeZone)
}

/** How far the wall in `timeZone` is ahead of UTC at an instant. */
export function offsetMinutes(ms: number, timeZone: string): number {
  return offsetMs(ms, timeZone) / 60_000
}

/** False for 31 April and 25:00. */
export function isRealLocal(local: LocalTime): boolean {
  const again = localOf(wallMsOf(local), 'UTC')
  return Object.entries(again).every(([key, value]) => Reflect.get(local, key) === value)
}

/** The date so many days later, at the same time of day. */
export function addDays(local: LocalTime, days: number): LocalTime {
  return localOf(wallMsOf(local) + days * 24 * HOUR_MS, 'UTC')
}

/** 0 for Monday to 6 for Sunday. */
export function weekdayOf(local: LocalTime): number {
  return (new Date(wallMsOf(local)).getUTCDay() + 6) % 7
}

/** The instant at which a wall in UTC would show it: for comparing and for counting, never an instant of the zone. */
export function wallMsOf({ year, month, day, hour, minute, second }: LocalTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

function candidatesOf(wallMs: number, timeZone: string): number[] {
  const offsets = new Set(PROBES_MS.map((probeMs) => offsetMs(wallMs + probeMs, timeZone)))
  return [...offsets].map((each) => wallMs - each).sort((a, b) => a - b)
}

function offsetMs(ms: number, timeZone: string): number {
  const wholeMs = Math.floor(ms / 1_000) * 1_000
  return wallMsOf(localOf(wholeMs, timeZone)) - wholeMs
}

function formatFor(timeZone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(timeZone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  FORMATS.set(timeZone, made)
  return made
}
