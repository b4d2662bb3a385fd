/** Further ahead no host waits, and the year keeps its four digits. */
const MAX_AHEAD_MS = 10 * 366 * 86_400_000

/**
 * Thrown by a handler that knows when trying again makes sense (a rate limit): the message is handed out again
 * then, and the failure spends none of its tries.
 */
export class RetryLater extends Error {
  override readonly name = 'RetryLater'
  readonly #when: Date | number

  /** `when`: a Date is the instant, a number the wait in ms from the throw on. */
  constructor(when: Date | number, reason: string) {
    super(reason)
    const isValid = Number.isFinite(when instanceof Date ? when.getTime() : when)
    if (!isValid) throw new RangeError('RetryLater needs a valid Date or a finite number of ms')
    this.#when = when
  }

  /** The instant to try again at, in ms since the epoch, for a failure at `nowMs`. */
  retryAtMs(nowMs: number): number {
    const wantedMs = this.#when instanceof Date ? this.#when.getTime() : nowMs + this.#when
    return Math.min(Math.max(wantedMs, nowMs), nowMs + MAX_AHEAD_MS)
  }
}
