import { describe, expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'

const policy = { baseMs: 5_000, maxMs: 60_000 }

describe('backoffMs', () => {
  it.each([
    [0, 5_000],
    [1, 10_000],
    [2, 20_000],
    [3, 40_000],
    [4, 60_000],
    [5, 60_000],
    [5_000, 60_000],
  ])('waits after %i earlier failures %i ms, doubling up to the cap', (failuresBefore, waitMs) => {
    expect(backoffMs(policy, failuresBefore, 0.5)).toBe(waitMs)
  })

  it('spreads full jitter over the whole wait', () => {
    const jittered = { ...policy, jitter: 'full' as const }
    expect([0, 0.5, 0.999].map((random) => backoffMs(jittered, 1, random))).toEqual([0, 5_000, 9_990])
  })
})
