import { parseTimestamp } from '@sessiond/protocol'

/** EX_TEMPFAIL: how a command says "not now" rather than "no". */
export const TEMPORARY_FAILURE_EXIT = 75

/**
 * When to try again, from the last line a command wrote to stderr: `retry-at: <timestamp>` or
 * `retry-after: <seconds>`. Undefined when the line says neither.
 */
export function parseRetryHint(line: string, nowMs: number): Date | undefined {
  const match = /^retry-(at|after):\s*(.+)$/i.exec(line.trim())
  const [, kind, value] = match ?? []
  if (kind === undefined || value === undefined) return undefined
  const atMs = kind.toLowerCase() === 'at' ? parseTimestamp(value) : afterSeconds(value, nowMs)
  const at = new Date(atMs ?? Number.NaN)
  return Number.isNaN(at.getTime()) ? undefined : at
}

function afterSeconds(value: string, nowMs: number): number | undefined {
  return /^\d{1,9}(\.\d{1,3})?$/.test(value) ? nowMs + Number(value) * 1000 : undefined
}
