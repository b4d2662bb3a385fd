import type { ParsedComponents } from 'chrono-node'
import { casual } from 'chrono-node/en'
import { formatLocal } from './format-instant.ts'
import { addDays, isRealLocal, type LocalTime, weekdayOf } from './local-time.ts'
import { readTimeOfDay, type TimeOfDay } from './read-time-of-day.ts'
import { refuseNumericDate } from './refuse-numeric-date.ts'
import { problem, type WhenProblem } from './when.ts'

/** A weekday on its own; anything else around it (`monday next week`, `weekend`) is read in more than one way. */
const WEEKDAY = /^(?:on\s+)?(?:(this|next)\s+)?(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?$/i

/** Numbers and days that people mean differently, or that stand for no one day. */
const VAGUE =
  /\b(?:(?:next|this|last|past|coming|previous)\s+(?:week|month|quarter|year)s?|weekend|few|couple|several|some|half|about|around|within|for)\b|\d[.,]\d|\b[ap]$/i

/**
 * Reads a day and a time of day in words, as of `today` in the same zone: what the wall shall show. What the library
 * leaves over, adds or takes from the moment of asking is refused, so that nothing is guessed.
 */
export function readWords(text: string, today: LocalTime): LocalTime | WhenProblem {
  const numeric = refuseNumericDate(text)
  if (numeric !== undefined) return numeric
  const words = text.replace(/\b(?:the )?day after tomorrow\b/i, 'overmorrow').replace(/\bthe (?=\d)/i, '')
  const time = readTimeOfDay(words)
  if ('kind' in time) return time.code === 'TIME_INCOMPLETE' ? findMissing(words, today, time) : time
  const day = time.rest
    .replace(/\bat\s*$/i, '')
    .replaceAll(/\s+/g, ' ')
    .replace(/^at /i, '')
    .replace(/,\s*$/, '')
    .trim()
  if (day === '') return { ...today, ...clockOf(time) }
  const vague = VAGUE.exec(day)
  if (vague !== null) {
    const cure = `Write the date out, such as ${example(today, time)}.`
    return problem('TIME_AMBIGUOUS', `"${vague[0]}" names no one day or time.`, cure)
  }
  if (/night\b/i.test(day) && time.hour < 12) {
    return problem(
      'TIME_AMBIGUOUS',
      'That hour of a night is of the day before or the day after.',
      'Write the date out.',
    )
  }
  const parsed = parseExactly(words, today)
  if (parsed === undefined || !agrees(parsed, time)) return unread(today, time)
  if (parsed.isCertain('timezoneOffset')) {
    const cure = 'Leave it out, or write an instant with its offset, such as 2030-01-31T09:00:00+01:00.'
    return problem('TIME_AMBIGUOUS', 'It names a zone beside words, which mean days of another one.', cure)
  }
  return dayOf(parsed, day, today, time)
}

/** The one reading the library has of the whole text. */
function parseExactly(text: string, today: LocalTime): ParsedComponents | undefined {
  // The library counts on the clock of this machine: it is told the date there, at noon, which no zone ever skips, and
  // is believed no time of day that it did not read in the text.
  const noon = new Date(today.year, today.month - 1, today.day, 12)
  const [result, other] = casual.parse(text, noon)
  if (result === undefined || other !== undefined) return undefined
  return result.text === text && result.end == null ? result.start : undefined
}

function agrees(parsed: ParsedComponents, time: TimeOfDay): boolean {
  const isSame = parsed.get('hour') === time.hour && parsed.get('minute') === time.minute
  return isSame && parsed.isCertain('hour') && (parsed.get('second') ?? 0) === time.second
}

function dayOf(parsed: ParsedComponents, day: string, today: LocalTime, time: TimeOfDay): LocalTime | WhenProblem {
  if (parsed.isCertain('weekday') && !parsed.isCertain('day')) return weekday(parsed, day, today, time)
  if (!parsed.isCertain('day') || !parsed.isCertain('month')) return unread(today, time)
  const [year, month, date] = [parsed.get('year') ?? 0, parsed.get('month') ?? 0, parsed.get('day') ?? 0]
  const named = { year, month, day: date, ...clockOf(time) }
  // Without a year, the library takes the nearest one: a date that has just passed.
  const local = parsed.isCertain('year') ? named : inNextYears(named, today)
  if (!isRealLocal(local)) return unread(today, time)
  const said = parsed.isCertain('weekday') ? parsed.get('weekday') : null
  if (said !== null && (said + 6) % 7 !== weekdayOf(local)) {
    const words = `The weekday and the date disagree: ${formatLocal(local).slice(0, 10)} is another day of the week.`
    return problem('TIME_AMBIGUOUS', words, 'Name one of them.')
  }
  return local
}

function inNextYears(named: LocalTime, today: LocalTime): LocalTime {
  const thisYear = { ...named, year: today.year }
  const hasPassed = named.month < today.month || (named.month === today.month && named.day < today.day)
  return hasPassed ? { ...thisYear, year: today.year + 1 } : thisYear
}

/**
 * The next such weekday. Where people differ, both days are named: on that very weekday (today, or in a week), and with
 * `next` when one more comes before the next week begins, on Monday.
 */
function weekday(parsed: ParsedComponents, day: string, today: LocalTime, time: TimeOfDay): LocalTime | WhenProblem {
  const match = WEEKDAY.exec(day)
  if (match === null) return unread(today, time)
  const [wanted, current] = [((parsed.get('weekday') ?? 0) + 6) % 7, weekdayOf(today)]
  const comingDays = (wanted - current + 7) % 7
  const nextWeekDays = 7 - current + wanted
  const isNext = match[1]?.toLowerCase() === 'next'
  const readings = isNext ? [comingDays === 0 ? 7 : comingDays, nextWeekDays] : comingDays === 0 ? [0, 7] : [comingDays]
  const [first, second] = [...new Set(readings)].map((days) => ({ ...addDays(today, days), ...clockOf(time) }))
  if (first === undefined) return unread(today, time)
  if (second === undefined) return first
  const cure = `Write ${formatLocal(first)} or ${formatLocal(second)}.`
  return problem('TIME_AMBIGUOUS', `"${day}" can be either of two days.`, cure)
}

/** Without a time of day: a day the library knows lacks only that; anything else cannot be read at all. */
function findMissing(words: string, today: LocalTime, incomplete: WhenProblem): WhenProblem {
  const parsed = parseExactly(words, today)
  if (parsed !== undefined && !parsed.isCertain('hour')) return incomplete
  const cure = 'Write something like "tomorrow 9:00", "2h" or "2030-01-31 09:00".'
  return problem('TIME_INVALID', 'It cannot be read as a time.', cure)
}

function clockOf({ hour, minute, second }: TimeOfDay): Pick<LocalTime, 'hour' | 'minute' | 'second'> {
  return { hour, minute, second }
}

function unread(today: LocalTime, time: TimeOfDay): WhenProblem {
  const words = 'Not all of it can be read as one day and one time of day.'
  return problem('TIME_INVALID', words, `Write the date out, such as ${example(today, time)}.`)
}

/** Tomorrow at the time of day that was named. */
function example(today: LocalTime, time: TimeOfDay): string {
  return formatLocal({ ...addDays(today, 1), ...clockOf(time) })
}
