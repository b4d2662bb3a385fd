import { parseTimestamp, parseTrouble, type Trouble } from '@sessiond/protocol'

/** EX_TEMPFAIL: how a command says "not now" rather than "no". */
export const TEMPORARY_FAILURE_EXIT = 75

export interface RetryHint {
  /** Null: nobody said; only with a trouble. */
  readonly at: Date | null
  readonly trouble: Trouble | null
}

const TIMED = /^retry-(at|after):\s*([^;]+?)\s*(?:;\s*(rate-limit|outage))?$/i
const UNTIMED = /^retry-later:\s*(rate-limit|outage)$/i

/**
 * When to try again, from the last line a command wrote to stderr: `retry-at: <timestamp>` or `retry-after: <seconds>`,
 * both with the provider's trouble behind a semicolon if there was one (`retry-after: 300; rate-limit`), or
 * `retry-later: <trouble>` where nobody named a time. Undefined when the line says none of these.
 */
export function parseRetryHint(line: string, nowMs: number): RetryHint | undefined {
  const untimed = UNTIMED.exec(line.trim())
  if (untimed !== null) return { at: null, trouble: troubleOf(untimed[1]) }
  const [, kind, value, trouble] = TIMED.exec(line.trim()) ?? []
  if (kind === undefined || value === undefined) return undefined
  const atMs = kind.toLowerCase() === 'at' ? parseTimestamp(value) : afterSeconds(value, nowMs)
  const at = new Date(atMs ?? Number.NaN)
  return Number.isNaN(at.getTime()) ? undefined : { at, trouble: troubleOf(trouble) }
}

function troubleOf(word: string | undefined): Trouble | null {
  return parseTrouble(word?.toLowerCase())
}

function afterSeconds(value: string, nowMs: number): number | undefined {
  return /^\d{1,9}(\.\d{1,3})?$/.test(value) ? nowMs + Number(value) * 1000 : undefined
}
