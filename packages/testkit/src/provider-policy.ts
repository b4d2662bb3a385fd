/** How accounts are held back in tests: a day at most, a minute at first, one session after a probe, open from eight. */
export const PROVIDER = {
  maxParkMs: 86_400_000,
  waitMs: 60_000,
  maxWaitMs: 1_800_000,
  ramp: 1,
  openFrom: 8,
} as const
