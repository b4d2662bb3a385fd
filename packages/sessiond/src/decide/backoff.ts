export interface BackoffPolicy {
  readonly baseMs: number
  readonly maxMs: number
  readonly jitter?: 'none' | 'full'
}

/**
 * How long to wait after `failuresBefore` earlier failures: baseMs x 2^failuresBefore, at most maxMs. Full jitter
 * spreads it evenly over [0, wait] by `random` in [0, 1). The one place this formula stands.
 */
export function backoffMs(policy: BackoffPolicy, failuresBefore: number, random: number): number {
  // 2^40 already exceeds every cap; more would overflow into Infinity x 0 = NaN.
  const waitMs = Math.min(policy.baseMs * 2 ** Math.min(failuresBefore, 40), policy.maxMs)
  return policy.jitter === 'full' ? Math.round(waitMs * random) : waitMs
}
