import { describe, expect, it } from 'vitest'
import { TokenBuckets } from './token-buckets.ts'

describe('TokenBuckets', () => {
  it('allows a burst of one second, then says how long to wait', () => {
    const buckets = new TokenBuckets({ perSecond: 4, maxAddresses: 10 })
    for (let request = 0; request < 4; request += 1) expect(buckets.take('a', 0)).toEqual({ allowed: true })
    expect(buckets.take('a', 0)).toEqual({ allowed: false, retryAfterMs: 250 })
    expect(buckets.take('a', 249)).toEqual({ allowed: false, retryAfterMs: 1 })
    expect(buckets.take('a', 250)).toEqual({ allowed: true })
    expect(buckets.take('a', 250)).toEqual({ allowed: false, retryAfterMs: 250 })
  })

  it('fills up to one burst and no further', () => {
    const buckets = new TokenBuckets({ perSecond: 2, maxAddresses: 10 })
    const allowed = Array.from({ length: 5 }, () => buckets.take('a', 3_600_000).allowed)
    expect(allowed).toEqual([true, true, false, false, false])
  })

  it('allows exactly the rate where it divides a second into fractions', () => {
    const buckets = new TokenBuckets({ perSecond: 3, maxAddresses: 10 })
    const allowed = Array.from({ length: 4 }, () => buckets.take('a', 1_000_000.25).allowed)
    expect(allowed).toEqual([true, true, true, false])
  })

  it('keeps addresses apart', () => {
    const buckets = new TokenBuckets({ perSecond: 1, maxAddresses: 10 })
    buckets.take('a', 0)
    expect(buckets.take('a', 0).allowed).toBe(false)
    expect(buckets.take('b', 0).allowed).toBe(true)
  })

  it('remembers a bounded number of addresses and forgets the one not seen for longest', () => {
    const buckets = new TokenBuckets({ perSecond: 1, maxAddresses: 2 })
    buckets.take('a', 0)
    buckets.take('b', 1)
    buckets.take('a', 2)
    buckets.take('c', 3)
    expect(buckets.size).toBe(2)
    expect(buckets.take('a', 3).allowed).toBe(false)
  })

  it('gives a rate below one per second a burst of one', () => {
    const buckets = new TokenBuckets({ perSecond: 0.5, maxAddresses: 2 })
    expect(buckets.take('a', 0).allowed).toBe(true)
    expect(buckets.take('a', 0)).toEqual({ allowed: false, retryAfterMs: 2000 })
  })
})
