import { parseTrouble, type Trouble } from '@sessiond/protocol'

/** Further ahead no host waits, and the year keeps its four digits. */
const MAX_AHEAD_MS = 10 * 366 * 86_400_000

export interface RetryLaterOptions {
  /** The provider of the model was to blame: the host also holds back the other sessions of its account until then. */
  readonly trouble?: Trouble
}

/**
 * Thrown by a handler that knows when trying again makes sense (a rate limit): the message is handed out again
 * then, and the failure spends none of its tries.
 */
export class RetryLater extends Error {
  override readonly name = 'RetryLater'
  /** Null: a reason of the handler's or its message's own. */
  readonly trouble: Trouble | null
  readonly #when: Date | number | null

  /**
   * `when`: a Date is the instant, a number the wait in ms from the throw on; null, only with `trouble`: nobody said, the
   * host decides.
   */
  constructor(when: Date | number | null, reason: string, { trouble }: RetryLaterOptions = {}) {
    super(reason)
    const isNamed = Number.isFinite(when instanceof Date ? when.getTime() : when)
    const isValid = isNamed || (when === null && trouble !== undefined)
    if (!isValid) throw new RangeError('RetryLater needs a valid Date or a finite number of ms, or a trouble')
    this.#when = when
    // A handler in plain JavaScript may name anything; what the protocol has no word for is not told.
    this.trouble = parseTrouble(trouble)
  }

  /** The instant to try again at, in ms since the epoch, for a failure at `nowMs`; null: nobody said. */
  retryAtMs(nowMs: number): number | null {
    if (this.#when === null) return null
    const wantedMs = this.#when instanceof Date ? this.#when.getTime() : nowMs + this.#when
    return Math.min(Math.max(wantedMs, nowMs), nowMs + MAX_AHEAD_MS)
  }
}
