/**
 * A second reckoning of when a cron expression is due, for tests alone. It walks a zone's time minute by minute, as a
 * clock on the wall would, and shares nothing with the one it judges: no library, no mapping from local times to instants.
 */

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000

/** The offsets of a zone, found by asking the zone database for every hour, and every minute of an hour in which it changed. */
export class WalkedZone {
  /** From when on which offset holds; ascending. */
  readonly changes: { readonly fromMs: number; readonly offsetMs: number }[] = []

  constructor(name: string, fromMs: number, toMs: number) {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset', year: 'numeric' })
    const ask = (atMs: number) => parseOffset(format.format(atMs))
    let offsetMs = ask(fromMs)
    this.changes.push({ fromMs: Number.NEGATIVE_INFINITY, offsetMs })
    for (let hourMs = fromMs; hourMs < toMs; hourMs += HOUR) {
      if (ask(hourMs + HOUR) === offsetMs) continue
      for (let atMs = hourMs + MINUTE; atMs <= hourMs + HOUR; atMs += MINUTE) {
        const next = ask(atMs)
        if (next !== offsetMs) this.changes.push({ fromMs: atMs, offsetMs: next })
        offsetMs = next
      }
    }
  }
}

/** `1/1/2026, GMT+05:45`, and plain `GMT` for none. */
function parseOffset(text: string): number {
  const match = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?/.exec(text)
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match ?? []
  const ms = Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds) * 1_000
  return sign === '-' ? -ms : ms
}

export interface Rules {
  readonly gap: 'after' | 'skip'
  readonly repeated: 'first' | 'both'
}

/** The first `limit` due instants in (fromMs, toMs]. */
export function walk(
  zone: WalkedZone,
  expression: string,
  rules: Rules,
  { fromMs, toMs, limit }: { readonly fromMs: number; readonly toMs: number; readonly limit: number },
): number[] {
  const cron = new NaiveCron(expression)
  const due: number[] = []
  // So long before, to know which local times have been shown already.
  const startMs = Math.floor((fromMs - lookBackMs(zone, fromMs)) / MINUTE) * MINUTE
  let index = zone.changes.findLastIndex((change) => change.fromMs <= startMs)
  let shownMs = Number.NEGATIVE_INFINITY
  for (let atMs = startMs; atMs <= toMs && due.length < limit; ) {
    while ((zone.changes[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY) <= atMs) index += 1
    const wallMs = atMs + (zone.changes[index]?.offsetMs ?? 0)
    const nextChangeMs = zone.changes[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY
    const isNew = wallMs > shownMs
    let isDue = cron.matches(wallMs) && (isNew || rules.repeated === 'both')
    if (rules.gap === 'after' && shownMs !== Number.NEGATIVE_INFINITY) {
      for (let lostMs = shownMs + MINUTE; lostMs < wallMs && !isDue; lostMs += MINUTE) isDue = cron.matches(lostMs)
    }
    if (isDue && atMs > fromMs) due.push(atMs)
    shownMs = Math.max(shownMs, wallMs)
    // Where nothing can be due and clocks stand still, nothing need be walked.
    const hopMs = cron.hopMs(wallMs)
    const canHop = isNew && hopMs > MINUTE && atMs + hopMs + MINUTE < nextChangeMs
    if (canHop) shownMs = wallMs + hopMs - MINUTE
    atMs += canHop ? hopMs : MINUTE
  }
  return due
}

/** By as much as clocks were moved in the last days, and an hour. */
function lookBackMs({ changes }: WalkedZone, atMs: number): number {
  const shifts = changes.map(({ fromMs, offsetMs }, index) => {
    const isNear = fromMs <= atMs && fromMs > atMs - 3 * DAY
    return isNear ? Math.abs(offsetMs - (changes[index - 1]?.offsetMs ?? offsetMs)) : 0
  })
  return Math.max(...shifts) + HOUR
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

/** Five fields, matched one local minute at a time. */
class NaiveCron {
  readonly #minutes: Set<number>
  readonly #hours: Set<number>
  readonly #days: string
  readonly #months: Set<number>
  readonly #weekdays: string
  #day = { atMs: Number.NaN, isDue: false }

  constructor(expression: string) {
    const [minutes = '', hours = '', days = '', months = '', weekdays = ''] = expression.split(' ')
    this.#minutes = numbers(minutes, 0, 59)
    this.#hours = numbers(hours, 0, 23)
    this.#days = days
    this.#months = numbers(named(months, MONTHS, 1), 1, 12)
    this.#weekdays = named(weekdays, WEEKDAYS, 0)
  }

  matches(wallMs: number): boolean {
    if (!this.#isDayOf(wallMs)) return false
    const minutes = (wallMs - startOfDay(wallMs)) / MINUTE
    return this.#minutes.has(minutes % 60) && this.#hours.has(Math.floor(minutes / 60))
  }

  /** How far it is to the next local hour it names, or to the next day, where the day it is in is none it names. */
  hopMs(wallMs: number): number {
    const sinceMs = wallMs - startOfDay(wallMs)
    if (!this.#isDayOf(wallMs)) return DAY - sinceMs
    const hour = Math.floor(sinceMs / HOUR)
    let hours = 0
    while (hours < 24 && !this.#hours.has((hour + hours) % 24)) hours += 1
    return hours === 0 ? MINUTE : hours * HOUR - (sinceMs % HOUR)
  }

  /** The same for all minutes of a day: found once. */
  #isDayOf(wallMs: number): boolean {
    const dayMs = startOfDay(wallMs)
    if (dayMs !== this.#day.atMs) this.#day = { atMs: dayMs, isDue: this.#isDay(new Date(dayMs)) }
    return this.#day.isDue
  }

  #isDay(date: Date): boolean {
    if (!this.#months.has(date.getUTCMonth() + 1)) return false
    const byDay = this.#days.split(',').some((part) => isDayOfMonth(part, date))
    const byWeekday = this.#weekdays.split(',').some((part) => isWeekday(part, date))
    if (this.#days === '*') return byWeekday
    return this.#weekdays === '*' ? byDay : byDay || byWeekday
  }
}

function startOfDay(wallMs: number): number {
  return Math.floor(wallMs / DAY) * DAY
}

function named(field: string, names: readonly string[], first: number): string {
  return field.replace(/[A-Z]{3}/g, (name) => String(names.indexOf(name) + first))
}

function numbers(field: string, low: number, high: number): Set<number> {
  const found = new Set<number>()
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/')
    const [from, to] = range === '*' ? [low, high] : range.split('-').map(Number)
    for (let value = from ?? low; value <= (to ?? from ?? high); value += Number(step)) found.add(value)
  }
  return found
}

function isDayOfMonth(part: string, date: Date): boolean {
  if (part === 'L') return new Date(date.getTime() + DAY).getUTCDate() === 1
  return numbers(part, 1, 31).has(date.getUTCDate())
}

function isWeekday(part: string, date: Date): boolean {
  const [weekdays = '', nth] = part.split('#')
  const days = numbers(weekdays, 0, 7)
  const isDay = days.has(date.getUTCDay()) || (date.getUTCDay() === 0 && days.has(7))
  return isDay && (nth === undefined || Math.ceil(date.getUTCDate() / 7) === Number(nth))
}
