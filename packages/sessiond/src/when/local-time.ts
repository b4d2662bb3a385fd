import { Zone } from '../decide/recurrence/zone.ts'

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

/** What the wall shows in `timeZone` at an instant. Throws RangeError for a zone that Intl does not know. */
export function localOf(ms: number, timeZone: string): LocalTime {
  const wall = new Date(zoneOf(timeZone).wallMs(ms))
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
  }
}

/** The instants at which the wall in `timeZone` shows `local`, oldest first: none in a gap, two when it comes twice. */
export function instantsOf(local: LocalTime, timeZone: string): number[] {
  return [...zoneOf(timeZone).resolve(wallMsOf(local)).instants]
}

/**
 * For a `local` that no instant shows: the last instant before the gap and the first after it that are as far from it as
 * `local` is within it. 02:30 of a gap from 02:00 to 03:00 gives 01:30 and 03:30.
 */
export function aroundGap(local: LocalTime, timeZone: string): number[] {
  const wallMs = wallMsOf(local)
  const offsets = zoneOf(timeZone).offsetsWithin(wallMs - 24 * HOUR_MS, wallMs + 24 * HOUR_MS)
  return offsets.map((offsetMs) => wallMs - offsetMs).sort((a, b) => a - b)
}

/** How far the wall in `timeZone` is ahead of UTC at an instant. */
export function offsetMinutes(ms: number, timeZone: string): number {
  return zoneOf(timeZone).offsetMs(ms) / 60_000
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

function zoneOf(timeZone: string): Zone {
  const zone = Zone.find(timeZone)
  if (zone === null) throw new RangeError(`There is no time zone ${timeZone}.`)
  return zone
}
