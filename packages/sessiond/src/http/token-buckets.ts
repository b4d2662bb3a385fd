/** Outcome of asking for one request's worth. */
export type BucketAnswer = { readonly allowed: true } | { readonly allowed: false; readonly retryAfterMs: number }

export interface BucketPolicy {
  readonly perSecond: number
  /** Addresses remembered; the one not seen for longest is forgotten first. */
  readonly maxAddresses: number
}

/** Absorbs what fractions lose; far below anything a clock can tell. */
const ROUNDING_MS = 1e-6

/** One token bucket per client address, refilled at `perSecond` with a burst of the same size, in bounded memory. */
export class TokenBuckets {
  readonly #intervalMs: number
  readonly #burstMs: number
  readonly #maxAddresses: number
  /** When each address's bucket is full again; in order of last use, so that the first is the one to forget. */
  readonly #fullAtMs = new Map<string, number>()

  constructor({ perSecond, maxAddresses }: BucketPolicy) {
    this.#intervalMs = 1000 / perSecond
    this.#burstMs = this.#intervalMs * Math.max(1, perSecond)
    this.#maxAddresses = maxAddresses
  }

  get size(): number {
    return this.#fullAtMs.size
  }

  /** Takes one token of `address` at `nowMs` (monotonic), or says how long until there is one. */
  take(address: string, nowMs: number): BucketAnswer {
    const fullAtMs = Math.max(this.#fullAtMs.get(address) ?? 0, nowMs)
    const waitMs = fullAtMs + this.#intervalMs - this.#burstMs - nowMs
    const allowed = waitMs <= ROUNDING_MS
    this.#remember(address, allowed ? fullAtMs + this.#intervalMs : fullAtMs)
    return allowed ? { allowed } : { allowed, retryAfterMs: Math.ceil(waitMs - ROUNDING_MS) }
  }

  #remember(address: string, fullAtMs: number): void {
    this.#fullAtMs.delete(address)
    this.#fullAtMs.set(address, fullAtMs)
    if (this.#fullAtMs.size <= this.#maxAddresses) return
    const oldest = this.#fullAtMs.keys().next()
    if (!oldest.done) this.#fullAtMs.delete(oldest.value)
  }
}
