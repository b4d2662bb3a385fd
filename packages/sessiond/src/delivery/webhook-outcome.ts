import { parseRetryAfter } from './retry-after.ts'
import type { SinkOutcome } from './sink.ts'

/** Refusals that may pass: time-out, the same delivery still being worked on, too early, too many. */
const TRANSIENT_4XX = [408, 409, 425, 429]

/** Tells whether trying again cannot help: a redirect (never followed), or a refusal of this very request. */
export function isPermanentStatus(status: number): boolean {
  return status >= 300 && status < 500 && !TRANSIENT_4XX.includes(status)
}

/** What a status other than 2xx means for the delivery. */
export function refusalOf(status: number, headers: Headers): SinkOutcome {
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), headers.get('date'))
  return {
    confirmed: false,
    permanent: isPermanentStatus(status),
    error: status >= 300 && status < 400 ? `HTTP ${status}: redirects are not followed` : `HTTP ${status}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}
