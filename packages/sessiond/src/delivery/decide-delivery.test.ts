import { describe, expect, it } from 'vitest'
import { decideDelivery } from './decide-delivery.ts'
import type { SinkOutcome } from './sink.ts'

const policy = { maxAttempts: 4, baseMs: 1000, maxMs: 60_000 }
const nowMs = 1_900_000_000_000
const transient: SinkOutcome = { confirmed: false, permanent: false, error: 'HTTP 500' }
const permanent: SinkOutcome = { confirmed: false, permanent: true, error: 'HTTP 400' }

function decide(outcome: SinkOutcome, attempt: number, random = 0) {
  return decideDelivery({ outcome, attempt, policy, nowMs, random })
}

describe('decideDelivery', () => {
  it.each([1, 4, 9])('(B9) takes a confirmation on attempt %i as delivered', (attempt) => {
    const outcome: SinkOutcome = { confirmed: true, platformMessageId: 'ts1' }
    expect(decide(outcome, attempt)).toEqual({ action: 'delivered', platformMessageId: 'ts1' })
  })

  it.each([1, 3, 4])('(B11) fails a permanent error on attempt %i without trying again', (attempt) => {
    expect(decide(permanent, attempt)).toEqual({ action: 'fail', because: 'permanent', error: 'HTTP 400' })
  })

  it.each([
    [3, 'retry'],
    [4, 'fail'],
    [5, 'fail'],
  ] as const)('(B8) after attempt %i of 4 decides to %s', (attempt, action) => {
    expect(decide(transient, attempt).action).toBe(action)
  })

  it('(B8) says after how many attempts it gave up, and why', () => {
    expect(decide(transient, 4)).toEqual({
      action: 'fail',
      because: 'attempts-spent',
      error: 'gave up after 4 attempts: HTTP 500',
    })
  })

  it.each([
    [1, 0, 500],
    [1, 0.5, 750],
    [2, 0, 1000],
    [3, 0, 2000],
    [3, 0.999999, 4000],
  ])('after attempt %i with random %f waits %i ms', (attempt, random, waitMs) => {
    expect(decide(transient, attempt, random)).toEqual({ action: 'retry', atMs: nowMs + waitMs, error: 'HTTP 500' })
  })

  it('waits at most maxMs however many attempts were made', () => {
    const decision = decideDelivery({
      outcome: transient,
      attempt: 900,
      policy: { ...policy, maxAttempts: 1000 },
      nowMs,
      random: 0.999999,
    })
    expect(decision).toMatchObject({ action: 'retry', atMs: nowMs + 60_000 })
  })

  it.each([
    ['shorter than the back-off', 0, 500],
    ['just below the back-off', 499, 500],
    ['just above the back-off', 501, 501],
    ['at the longest wait', 60_000, 60_000],
    ['beyond the longest wait', 60_001, 60_000],
  ])('honours a Retry-After %s: %i ms becomes %i ms', (_name, retryAfterMs, waitMs) => {
    expect(decide({ ...transient, retryAfterMs } as SinkOutcome, 1)).toMatchObject({ atMs: nowMs + waitMs })
  })
})
