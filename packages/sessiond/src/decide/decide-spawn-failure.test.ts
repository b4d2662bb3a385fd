import { describe, expect, it } from 'vitest'
import { decideSpawnFailure } from './decide-spawn-failure.ts'

const policy = { baseMs: 5_000, maxMs: 300_000, tellAfter: 3 }

describe('decideSpawnFailure', () => {
  it.each([
    [0, 5_000],
    [1, 10_000],
    [5, 160_000],
    [6, 300_000],
    [1_000, 300_000],
  ])('(D9) after %i failures waits %i ms, capped', (failuresBefore, waitMs) => {
    expect(decideSpawnFailure(failuresBefore, 'x', policy, 100).notBeforeMs).toBe(100 + waitMs)
  })

  it('(H1) tells the user on the third failure in a row, then rarely', () => {
    const told = Array.from({ length: 250 }, (_, before) => before).filter(
      (before) => decideSpawnFailure(before, 'image missing', policy, 0).tell !== null,
    )
    expect(told).toEqual([2, 99, 199])
    expect(decideSpawnFailure(2, 'image missing', policy, 0).tell).toContain('3 times in a row (image missing)')
  })
})
