import { hasZone, parseTimestamp } from '@sessiond/protocol'
import { casual, type ParsedResult } from 'chrono-node'
import { parseDurationMs } from '../config/duration.ts'
import { BREATH_MS, MAX_AHEAD_MS } from '../decide/parse-send.ts'
import { Zone } from '../decide/recurrence/zone.ts'
import { type ErrorCode, SessiondError } from '../model/errors.ts'
import { tellInstant } from './tell-firing.ts'

const MAX_CHARS = 100
interface Where {
  readonly timeZone: string
  readonly nowMs: number
}

/**
 * Reads a time as a person writes it: an instant with its zone, a local time of the given zone, a span (`2h`), or words
 * (`tomorrow 9:00`). Throws TIME_AMBIGUOUS where it could mean two things, TIME_INVALID, TIME_IN_PAST, TIME_TOO_FAR,
 * ZONE_INVALID: a wrong guess would only be noticed when it is too late.
 */
export function parseWhen(text: string, where: Where): number {
  const zone = Zone.find(where.timeZone)
  if (zone === null) throw refusal('ZONE_INVALID', `There is no time zone ${quote(where.timeZone)}.`)
  const trimmed = text.trim()
  if (trimmed === '' || text.length > MAX_CHARS || hasControls(text)) {
    throw refusal('TIME_INVALID', `${quote(text)} is no time.`)
  }
  return inReach(read(trimmed, zone, where), text, where)
}

function read(text: string, zone: Zone, where: Where): number {
  const spanMs = parseDurationMs(text.replace(/^in\s+/i, ''))
  if (spanMs !== undefined) return where.nowMs + spanMs
  const instantMs = hasZone(text) ? parseTimestamp(text) : undefined
  if (instantMs !== undefined) return instantMs
  const local = LOCAL.exec(text)
  return local === null ? readWords(text, zone, where) : wallToInstant(wallOf(local, text), text, zone, where)
}

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{1,2}):(\d{2})(?::(\d{2}))?$/

function wallOf(match: RegExpExecArray, text: string): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0))
  const wallMs = Date.UTC(year, month - 1, day, hour, minute, second)
  const date = new Date(wallMs)
  const isReal =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  if (!isReal) throw refusal('TIME_INVALID', `There is no ${quote(text)}.`)
  return wallMs
}

/** The library says what it found; whether that is all of it, and one thing only, is checked here. */
function readWords(text: string, zone: Zone, where: Where): number {
  if (/\d[/.]\d/.test(text)) throw refusal('TIME_AMBIGUOUS', `${quote(text)}: day and month could be either.`)
  const timezone = Math.round(zone.offsetMs(where.nowMs) / 60_000)
  const results = casual.parse(text, { instant: new Date(where.nowMs), timezone }, { forwardDate: true })
  const [result] = results
  if (result === undefined) throw refusal('TIME_INVALID', `${quote(text)} is no time.`)
  if (results.length > 1 || result.end !== null || result.text.length !== text.length) {
    throw refusal('TIME_AMBIGUOUS', `Of ${quote(text)} only ${quote(result.text)} was understood.`)
  }
  return instantOf(result, text, zone, where)
}

function instantOf(result: ParsedResult, text: string, zone: Zone, where: Where): number {
  const { start } = result
  const tags = start.tags()
  if (tags.has('result/relativeDateAndTime')) return start.date().getTime()
  if (!start.isCertain('hour')) throw refusal('TIME_AMBIGUOUS', `${quote(text)} names no time of day.`)
  // `at 9` is read as the morning without a word of doubt.
  if (!/\d:\d{2}|\d\s*[ap]\.?m|noon|midnight/i.test(text))
    throw refusal('TIME_AMBIGUOUS', `${quote(text)}: in the morning or in the evening?`)
  const field = (name: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second') => start.get(name) ?? 0
  const wallMs = Date.UTC(
    field('year'),
    field('month') - 1,
    field('day'),
    field('hour'),
    field('minute'),
    field('second'),
  )
  // A bare time of day that has gone by today means tomorrow's.
  const isBare = !['day', 'weekday', 'month'].some((part) => start.isCertain(part as 'day'))
  const isOver = isBare && wallMs <= zone.wallMs(where.nowMs)
  return wallToInstant(isOver ? wallMs + 86_400_000 : wallMs, text, zone, where)
}

function wallToInstant(wallMs: number, text: string, zone: Zone, { timeZone, nowMs }: Where): number {
  const { instants, afterGapMs } = zone.resolve(wallMs)
  const [first, second] = instants
  if (first === undefined) {
    const next = tellInstant(afterGapMs ?? wallMs, { timeZone, nowMs })
    throw refusal(
      'TIME_AMBIGUOUS',
      `${quote(text)} does not exist in ${timeZone}: clocks go forward over it. Next is ${next}.`,
    )
  }
  if (second === undefined) return first
  const both = instants.map((atMs) => tellInstant(atMs, { timeZone, nowMs })).join(' or ')
  throw refusal(
    'TIME_AMBIGUOUS',
    `${quote(text)} comes twice in ${timeZone}, as clocks go back: ${both}.`,
    'Add its offset.',
  )
}

function inReach(atMs: number, text: string, { timeZone, nowMs }: Where): number {
  if (atMs < nowMs - BREATH_MS) {
    throw refusal('TIME_IN_PAST', `${quote(text)} was ${tellInstant(atMs, { timeZone, nowMs })}.`)
  }
  if (atMs > nowMs + MAX_AHEAD_MS) throw refusal('TIME_TOO_FAR', `${quote(text)} is more than ten years ahead.`)
  return Math.max(atMs, nowMs)
}

function hasControls(text: string): boolean {
  return [...text].some((char) => (char.codePointAt(0) ?? 0) < 32)
}

function refusal(code: ErrorCode, what: string, cure?: string): SessiondError {
  return new SessiondError(code, what, { fields: { field: 'at' }, ...(cure === undefined ? {} : { cure }) })
}

function quote(text: string): string {
  return JSON.stringify(text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text)
}
