import { describe, expect, it } from 'vitest'
import { type ClassicClocks, decideClassic } from './decide-classic.ts'

const policy = { policy: 'classic', claimSilentMs: 60_000, ceilingMs: 1_800_000, maxToolTimeoutMs: 7_200_000 } as const
const quiet: ClassicClocks = {
  watchedForMs: 10_000_000,
  heartbeatAgeMs: 5_000,
  claims: [],
  declaredToolMs: null,
  unheededForMs: null,
}

function claimed(ageMs: number, hasBeatenSince = false): ClassicClocks['claims'] {
  return [{ messageId: 'm-1', ageMs, hasBeatenSince }]
}

describe('decideClassic (classic)', () => {
  it.each([
    [59_999, 'leave'],
    [60_000, 'leave'],
    [60_001, 'stop'],
  ])('a claim of %i ms without a heartbeat since: %s', (ageMs, action) => {
    expect(decideClassic({ ...quiet, claims: claimed(ageMs) }, policy).action).toBe(action)
  })

  it('leaves an old claim alone once the heartbeat has moved since', () => {
    expect(decideClassic({ ...quiet, claims: claimed(600_000, true) }, policy).action).toBe('leave')
  })

  it.each([
    [1_799_999, 'leave'],
    [1_800_000, 'leave'],
    [1_800_001, 'stop'],
  ])('no heartbeat for %i ms: %s', (heartbeatAgeMs, action) => {
    expect(decideClassic({ ...quiet, heartbeatAgeMs }, policy).action).toBe(action)
  })

  it('(A1) judges a run that never beat from when it was first watched, not as infinitely stale', () => {
    const fresh = { ...quiet, heartbeatAgeMs: null, watchedForMs: 1_800_000 }
    expect(decideClassic(fresh, policy).action).toBe('leave')
    expect(decideClassic({ ...fresh, watchedForMs: 1_800_001 }, policy)).toMatchObject({ because: 'ceiling' })
  })

  it('(A4, A14) gives an inherited claim a full window from when this host began to watch', () => {
    const adopted = { ...quiet, watchedForMs: 60_000, claims: claimed(9_000_000) }
    expect(decideClassic(adopted, policy).action).toBe('leave')
    expect(decideClassic({ ...adopted, watchedForMs: 60_001 }, policy).action).toBe('stop')
  })

  it.each([
    ['widens the claim window', 120_000, 120_000, 'leave'],
    ['ends with it', 120_000, 120_001, 'stop'],
    ['is clamped (G7)', 9_000_000, 7_200_001, 'stop'],
    ['never narrows', 1_000, 60_000, 'leave'],
  ])('a declared tool time-out %s', (_, declaredToolMs, ageMs, action) => {
    expect(decideClassic({ ...quiet, claims: claimed(ageMs), declaredToolMs }, policy).action).toBe(action)
  })

  it('widens the ceiling by a declared tool time-out', () => {
    const building = { ...quiet, heartbeatAgeMs: 3_600_000, declaredToolMs: 3_600_000 }
    expect(decideClassic(building, policy).action).toBe('leave')
    expect(decideClassic({ ...building, heartbeatAgeMs: 3_600_001 }, policy)).toMatchObject({ toleranceMs: 3_600_000 })
  })

  it.each([
    [1_800_000, 'leave'],
    [1_800_001, 'stop'],
  ])('a run that beats but has left its mailbox unheeded for %i ms: %s', (unheededForMs, action) => {
    expect(decideClassic({ ...quiet, unheededForMs }, policy).action).toBe(action)
  })

  it('asks to be called again when the nearest threshold is passed', () => {
    const clocks = { ...quiet, claims: claimed(50_000) }
    const decision = decideClassic(clocks, policy)
    expect(decision).toEqual({ action: 'leave', recheckInMs: 10_001 })
    expect(decideClassic({ ...clocks, claims: claimed(60_001) }, policy).action).toBe('stop')
  })
})
