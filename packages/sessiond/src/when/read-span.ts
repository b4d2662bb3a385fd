import { parseDurationMs } from '../config/duration.ts'

const UNITS: readonly (readonly [names: RegExp, ms: number])[] = [
  [/^(?:w|weeks?)$/, 604_800_000],
  // A day of a span is 24 hours, as in every duration; who means the same time of day names that.
  [/^(?:d|days?)$/, 86_400_000],
  [/^(?:h|hrs?|hours?)$/, 3_600_000],
  [/^(?:m|mins?|minutes?)$/, 60_000],
  [/^(?:s|secs?|seconds?)$/, 1_000],
]

const BETWEEN = /\s*,\s+|\s+and\s+/g
const PIECE = /(\d{1,9}|\ban?\b)\s*([a-z]+)/g
const WHOLE = /^(?:(?:\d{1,9}\s*|an?\s)[a-z]+\s*)+$/

/**
 * Reads a span from now, in milliseconds: `2h`, `1h30m`, `in 2 hours`, `2 hours from now`, `1 hour and 30 minutes`; largest
 * unit first, each at most once; `now` is none at all, 0. A month and a year have no length of their own and are none. Undefined for anything else.
 */
export function readSpanMs(text: string): number | undefined {
  const given = text.toLowerCase()
  if (given === 'now') return 0
  const words = given.replace(/^in\s+|\s+from now$/g, '')
  const short = parseDurationMs(words)
  if (short !== undefined) return short
  const pieces = words.replaceAll(BETWEEN, ' ')
  if (!WHOLE.test(pieces)) return undefined
  let totalMs = 0
  let lastMs = Number.POSITIVE_INFINITY
  for (const [, count = '', unit = ''] of pieces.matchAll(PIECE)) {
    const unitMs = UNITS.find(([names]) => names.test(unit))?.[1]
    if (unitMs === undefined || unitMs >= lastMs) return undefined
    totalMs += unitMs * (count.startsWith('a') ? 1 : Number(count))
    lastMs = unitMs
  }
  return Number.isSafeInteger(totalMs) ? totalMs : undefined
}
