import { hasZone, parseTimestamp } from '@sessiond/protocol'
import { escapeLine } from '../model/escape.ts'
import { formatExact, formatLength, formatLocal, formatWholeWallTime } from './format-instant.ts'
import { aroundGap, instantsOf, isRealLocal, type LocalTime, localOf } from './local-time.ts'
import { readSpanMs } from './read-span.ts'
import { readWords } from './read-words.ts'
import { BREATH_MS, MAX_AHEAD_MS, problem, type When, type WhenContext, type WhenProblem } from './when.ts'

/** Nobody needs more words for a time; what is longer is a mistake, and would only cost the parser. */
const MAX_CHARS = 100

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})(?:T|\s+)(\d{1,2}):(\d{2})(?::(\d{2}))?$/i
const DATE_ONLY = /^\d{4}-\d{2}-\d{2}$/

/**
 * Reads a time as a person writes it, as of `nowMs` and in `timeZone` where the text names no zone of its own: an instant
 * (`2030-01-31T09:00:00+01:00`), a local time (`2030-01-31 09:00`), a span (`2h`, `in 2 hours`), or words
 * (`tomorrow 9:00`, `next monday 8am`). What can be read in two ways, leaves something out, has passed or lies more than
 * ten years ahead is refused, with what to write instead. The zone of this machine never matters.
 */
export function parseWhen(text: string, context: WhenContext): When {
  const unclean = findUnclean(text)
  if (unclean !== undefined) return unclean
  const words = text.trim().replaceAll(/\s+/g, ' ')
  const spanMs = readSpanMs(words)
  if (spanMs !== undefined) return bounded(context.nowMs + spanMs, words, context)
  if (hasZone(words)) {
    const atMs = parseTimestamp(words)
    return atMs === undefined ? naming(words, noSuchDate()) : bounded(atMs, words, context)
  }
  const local = readLocal(words, context)
  if ('kind' in local) return naming(words, local)
  const atMs = resolve(local, words, context)
  return typeof atMs === 'number' ? bounded(atMs, words, context) : atMs
}

function findUnclean(text: string): WhenProblem | undefined {
  const cure = 'Write something like "tomorrow 9:00", "2h" or "2030-01-31 09:00".'
  if (text.trim() === '') return problem('TIME_INVALID', 'The time is empty.', cure)
  if (text.length > MAX_CHARS) {
    return problem('TIME_INVALID', `The time has ${text.length} characters; at most ${MAX_CHARS} are read.`, cure)
  }
  if (escapeLine(text) !== text) {
    return problem('TIME_INVALID', `${quote(text)} holds characters that cannot be seen.`, cure)
  }
  return undefined
}

function readLocal(words: string, { nowMs, timeZone }: WhenContext): LocalTime | WhenProblem {
  if (DATE_ONLY.test(words)) {
    return problem('TIME_INCOMPLETE', 'It names no time of day.', `Add it, such as ${words} 09:00.`)
  }
  const match = LOCAL.exec(words)
  if (match === null) return readWords(words, localOf(nowMs, timeZone))
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((each) => Number(each ?? 0))
  const local = { year, month, day, hour, minute, second }
  return isRealLocal(local) ? local : noSuchDate()
}

function noSuchDate(): WhenProblem {
  return problem('TIME_INVALID', 'No calendar and clock show it.', 'Correct the date or the time of day.')
}

function naming(text: string, found: WhenProblem): WhenProblem {
  return { ...found, words: `${quote(text)}: ${found.words}` }
}

/** The one instant at which the wall shows `local`; refused when there is none, or two. */
function resolve(local: LocalTime, words: string, { timeZone }: WhenContext): number | WhenProblem {
  const [atMs, again] = instantsOf(local, timeZone)
  if (atMs === undefined) {
    const near = aroundGap(local, timeZone).map((each) => formatLocal(localOf(each, timeZone)))
    const what = `${quote(words)}: the clocks in ${timeZone} go forward and skip ${formatLocal(local)}.`
    return problem('TIME_SKIPPED', what, `Write ${near.join(' or ')}.`)
  }
  if (again === undefined) return atMs
  const both = [atMs, again].map((each) => formatExact(each, timeZone))
  const what = `${quote(words)}: the clocks in ${timeZone} go back and show ${formatLocal(local)} twice.`
  return problem('TIME_AMBIGUOUS', what, `Write ${both.join(' or ')}.`)
}

function bounded(atMs: number, words: string, { nowMs, timeZone }: WhenContext): When {
  if (atMs > nowMs + MAX_AHEAD_MS) {
    return problem('TIME_TOO_FAR', `${quote(words)} lies more than ten years ahead.`, 'Name an earlier time.')
  }
  if (atMs < nowMs - BREATH_MS) {
    const what = `${quote(words)} (${formatWholeWallTime(atMs, timeZone)}, ${timeZone}) has passed, ${formatLength(nowMs - atMs)} ago.`
    return problem('TIME_IN_PAST', what, 'Name a time to come, with its date.')
  }
  const dueMs = Math.max(atMs, nowMs)
  const inMs = dueMs - nowMs
  const distance = inMs < 1_000 ? 'now' : `in ${formatLength(inMs)}`
  return { kind: 'found', atMs: dueMs, echo: `${formatWholeWallTime(dueMs, timeZone)} (${timeZone}), ${distance}` }
}

function quote(text: string): string {
  return `"${escapeLine(text.replaceAll(/["\\]/g, '\\$&'), MAX_CHARS)}"`
}
