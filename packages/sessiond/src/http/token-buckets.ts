/** Outcome of asking for one request's worth. */
export type BucketAnswer = { readonly allowed: true } | { readonly allowed: false; readonly retryAfterMs: number }

export interface BucketPolicy {
  readonly perSecond: number
  /** Addresses remembered; the one not seen for longest is forgotten first. */
  readonly maxAddresses: number
}

interface Bucket {
  tokens: number
  filledAtMs: number
}

/** One token bucket per client address, refilled at `perSecond` with a burst of the same size, in bounded memory. */
export class TokenBuckets {
  readonly #policy: BucketPolicy
  /** In order of last use, so that the first key is the one to forget. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(policy: BucketPolicy) {
    this.#policy = policy
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes one token of `address` at `nowMs` (monotonic), or says how long until there is one. */
  take(address: string, nowMs: number): BucketAnswer {
    const bucket = this.#refilled(address, nowMs)
    this.#buckets.delete(address)
    this.#buckets.set(address, bucket)
    this.#forgetOldest()
    if (bucket.tokens < 1) {
      return { allowed: false, retryAfterMs: Math.ceil(((1 - bucket.tokens) / this.#policy.perSecond) * 1000) }
    }
    bucket.tokens -= 1
    return { allowed: true }
  }

  #refilled(address: string, nowMs: number): Bucket {
    const burst = Math.max(1, this.#policy.perSecond)
    const bucket = this.#buckets.get(address)
    if (bucket === undefined) return { tokens: burst, filledAtMs: nowMs }
    const gained = (Math.max(0, nowMs - bucket.filledAtMs) / 1000) * this.#policy.perSecond
    return { tokens: Math.min(burst, bucket.tokens + gained), filledAtMs: nowMs }
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= this.#policy.maxAddresses) return
    const oldest = this.#buckets.keys().next()
    if (!oldest.done) this.#buckets.delete(oldest.value)
  }
}
