/**
 * Reads a Retry-After header as a span. A date is read against the answer's own Date header, never against our
 * clock: two machines' clocks are not compared. Undefined when it says nothing usable.
 */
export function parseRetryAfter(retryAfter: string | null, date: string | null): number | undefined {
  if (retryAfter === null) return undefined
  const value = retryAfter.trim()
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  if (date === null) return undefined
  const spanMs = Date.parse(value) - Date.parse(date)
  return Number.isFinite(spanMs) && spanMs >= 0 ? spanMs : undefined
}
