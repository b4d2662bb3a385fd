import { oneLine } from './one-line.ts'
import { type ReplyTo, tellReplyTo } from './reply-to.ts'

/** The zone a session's local times are told in. */
export interface SessionZone {
  /** IANA zone that this machine knows. */
  readonly timeZone: string
  /** The zone the host named when this machine does not know it, and UTC is used in its place; null otherwise. */
  readonly unknownZone: string | null
}

/** Of a message, what is told of it. */
export interface ToldMessage {
  readonly text: string
  /** When the host accepted it, by the host's clock; null: the host does not say. */
  readonly createdAtMs: number | null
  readonly isContext: boolean
  readonly replyTo: ReplyTo | null
}

/** As many as there are zones, since only known names get here; making one costs far more than using it. */
const FORMATS = new Map<string, Intl.DateTimeFormat>()

/** The zone to go by: the one the host states; UTC when it states none, or one that this machine does not know. */
export function readSessionZone(stated: string | null): SessionZone {
  if (stated === null) return { timeZone: 'UTC', unknownZone: null }
  try {
    formatFor(stated)
    return { timeZone: stated, unknownZone: null }
  } catch {
    // RangeError is how Intl says no; there is no other way to ask.
    return { timeZone: 'UTC', unknownZone: stated }
  }
}

/**
 * The first line of what an agent is handed: `Time zone: Europe/Berlin. Now: Tuesday 2030-01-01 09:00 (+01:00), by this
 * machine's clock.` `nowMs` is of the run's own clock, which may be wrong, and says so: the host writes no "now" into a
 * mailbox, where it would be stale before it is read.
 */
export function tellTime({ timeZone, unknownZone }: SessionZone, nowMs: number): string {
  const instead = unknownZone === null ? '' : ` (the session's zone "${oneLine(unknownZone, 64)}" is not known here)`
  const { offset } = partsOf(nowMs, timeZone)
  return `Time zone: ${timeZone}${instead}. Now: ${localWords(nowMs, timeZone)} (${offset}), by this machine's clock.`
}

/**
 * A message with its local time, and before its text the line it answers: `[Tuesday 2030-01-01 08:59] text`. The time is
 * of the host's clock. One that was said for information only is marked so.
 */
export function tellMessage({ text, createdAtMs, isContext, replyTo }: ToldMessage, timeZone: string): string {
  const time = createdAtMs === null ? [] : [localWords(createdAtMs, timeZone)]
  const marks = [...time, ...(isContext ? ['for information'] : [])]
  const stamp = marks.length === 0 ? '' : `[${marks.join(', ')}]`
  if (replyTo === null) return stamp === '' ? text : `${stamp} ${text}`
  return [stamp, tellReplyTo(replyTo), text].filter((line) => line !== '').join('\n')
}

/** An instant as a program reads it, with the zone's offset: `2030-01-01T09:00:00+01:00`. */
export function formatLocalTime(ms: number, timeZone: string): string {
  const { date, time, second, offset } = partsOf(ms, timeZone)
  return `${date}T${time}:${second}${offset}`
}

function localWords(ms: number, timeZone: string): string {
  const { weekday, date, time } = partsOf(ms, timeZone)
  return `${weekday} ${date} ${time}`
}

function partsOf(ms: number, timeZone: string) {
  const found: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {}
  for (const { type, value } of formatFor(timeZone).formatToParts(ms)) found[type] = value
  const { weekday = '', year = '', month = '', day = '', hour = '', minute = '', second = '' } = found
  const wallMs = Date.UTC(+year, +month - 1, +day, +hour, +minute, +second)
  const date = `${year.padStart(4, '0')}-${month}-${day}`
  return {
    weekday,
    date,
    time: `${hour}:${minute}`,
    second,
    offset: offsetWords(wallMs - Math.floor(ms / 1_000) * 1_000),
  }
}

function offsetWords(offsetMs: number): string {
  const minutes = Math.trunc(Math.abs(offsetMs) / 60_000)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

function formatFor(timeZone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(timeZone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'long',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  FORMATS.set(timeZone, made)
  return made
}
