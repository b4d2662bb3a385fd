import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Account, type AccountInUse, openAccount } from '../model/account.ts'
import { type AccountEvent, beginOn, decideAccount, mayTakeMore, roomIn } from './decide-account.ts'

const HOUR_MS = 3_600_000
const policy = { maxParkMs: 24 * HOUR_MS, waitMs: 60_000, maxWaitMs: 240_000, ramp: 1, openFrom: 8 }
const now = 1_000_000_000

const open = openAccount('a')
const parked: Account = {
  ...open,
  state: 'parked',
  reason: 'rate-limit',
  parkedAtMs: now - 5,
  parkedUntilMs: now + HOUR_MS,
  troubles: 1,
}
const probing: Account = { ...parked, state: 'probing', parkedUntilMs: now - 1, probeSessionId: 'g/probe' }
const ramping: Account = { ...parked, state: 'ramping', parkedUntilMs: now - 1, allowed: 2 }

function trouble(resetAtMs: number | null): AccountEvent {
  return { kind: 'trouble', trouble: 'rate-limit', resetAtMs }
}

function completed(sessionId: string): AccountEvent {
  return { kind: 'completed', sessionId }
}

describe('decideAccount', () => {
  it.each<[string, Account, number | null, number]>([
    ['to the reset it names', open, now + 5 * HOUR_MS, now + 5 * HOUR_MS],
    ['to a reset just ahead', open, now + 1, now + 1],
    ['by its own wait when the reset is now', open, now, now + 60_000],
    ['by its own wait when the reset has gone by', open, now - HOUR_MS, now + 60_000],
    ['by its own wait when nobody named one', open, null, now + 60_000],
    ['to a reset at the longest park', open, now + 24 * HOUR_MS, now + 24 * HOUR_MS],
    ['no longer than the longest park', open, now + 24 * HOUR_MS + 1, now + 24 * HOUR_MS],
    ['no longer than that for an absurd reset', open, Number.MAX_SAFE_INTEGER, now + 24 * HOUR_MS],
    ['longer after a probe that failed', probing, null, now + 120_000],
    ['longer after it failed at the second trouble', { ...probing, troubles: 2 }, null, now + 240_000],
    ['at most the longest wait', { ...probing, troubles: 9 }, null, now + 240_000],
    ['longer although the reset is near, when the one before was not true', probing, now + 5, now + 120_000],
    ['to a reset beyond that wait', probing, now + HOUR_MS, now + HOUR_MS],
    ['again while it is ramping', ramping, null, now + 120_000],
  ])('parks %s', (_, account, resetAtMs, parkedUntilMs) => {
    const step = decideAccount(account, trouble(resetAtMs), policy, now)
    expect(step).toEqual({
      account: {
        name: 'a',
        state: 'parked',
        reason: 'rate-limit',
        parkedAtMs: now,
        parkedUntilMs,
        probeSessionId: null,
        allowed: 0,
        troubles: account.troubles + 1,
      },
      line: 'account:parked',
    })
  })

  it.each<[string, number | null, number | null]>([
    ['an earlier end', now + HOUR_MS - 1, null],
    ['the same end', now + HOUR_MS, null],
    ['a later end', now + HOUR_MS + 1, now + HOUR_MS + 1],
    ['an absurd end', Number.MAX_SAFE_INTEGER, now + 24 * HOUR_MS],
    ['no end', null, null],
    ['an end gone by', now - 1, null],
  ])('tells nobody of another session that runs into the same wall and names %s', (_, resetAtMs, parkedUntilMs) => {
    const step = decideAccount(parked, trouble(resetAtMs), policy, now)
    if (parkedUntilMs === null) expect(step).toBeNull()
    else expect(step).toEqual({ account: { ...parked, parkedUntilMs }, line: null })
  })

  it.each<[string, Account, string, Partial<Account> | null, string | null]>([
    ['open', open, 'g/s', null, null],
    ['parked: it was asked before', parked, 'g/s', null, null],
    ['probing, of another than the probe: it too', probing, 'g/s', null, null],
    ['probing, of the probe', probing, 'g/probe', { state: 'ramping', allowed: 1 }, 'account:ramped'],
    ['ramping', ramping, 'g/s', { state: 'ramping', allowed: 4, troubles: 1 }, 'account:ramped'],
    ['ramping, near the top', { ...ramping, allowed: 3 }, 'g/s', { allowed: 6 }, 'account:ramped'],
    ['ramping, at the top', { ...ramping, allowed: 4 }, 'g/s', { state: 'open', troubles: 0 }, 'account:opened'],
  ])('a message is completed while it is %s', (_, account, sessionId, expected, line) => {
    const step = decideAccount(account, completed(sessionId), policy, now)
    if (expected === null) expect(step).toBeNull()
    else expect(step).toMatchObject({ account: { ...expected, probeSessionId: null }, line })
  })

  it('opens at once with a ramp as wide as there are places', () => {
    const step = decideAccount(probing, completed('g/probe'), { ...policy, ramp: 8 }, now)
    expect(step).toMatchObject({ account: { state: 'open', allowed: 0, troubles: 0 }, line: 'account:opened' })
  })

  it('never parks beyond the longest park, nor not at all, whatever it is told', () => {
    const account = fc.constantFrom(open, parked, probing, ramping)
    const reset = fc.option(fc.integer({ min: -now, max: Number.MAX_SAFE_INTEGER }))
    fc.assert(
      fc.property(account, reset, fc.nat(50), (before, resetAtMs, troubles) => {
        const from = { ...before, troubles: before.state === 'open' ? 0 : troubles + 1 }
        const after = decideAccount(from, trouble(resetAtMs), policy, now)?.account ?? from
        expect(after.state).toBe('parked')
        expect(after.parkedUntilMs).toBeGreaterThan(now)
        expect(after.parkedUntilMs).toBeLessThanOrEqual(now + policy.maxParkMs)
      }),
    )
  })
})

describe('beginOn', () => {
  it.each([
    ['open', open, null],
    ['parked', parked, 'account:probed'],
    ['probing, its probe gone', probing, 'account:probed'],
    ['ramping', ramping, null],
  ] as const)('of an account that is %s', (_, account, line) => {
    const step = beginOn(account, 'g/new')
    if (line === null) expect(step).toBeNull()
    else expect(step).toEqual({ account: { ...account, state: 'probing', probeSessionId: 'g/new' }, line })
  })
})

function used(account: Account, working: number, isProbeWorking = false): AccountInUse {
  return { ...account, working, isProbeWorking }
}

it.each<[string, AccountInUse, number, number]>([
  ['an open one', used(open, 5), now, Number.POSITIVE_INFINITY],
  ['one parked', used(parked, 0), now + HOUR_MS - 1, 0],
  ['one whose park ends', used(parked, 0), now + HOUR_MS, 1],
  ['one whose park is over, though others end what they began before it', used(parked, 3), now + HOUR_MS, 1],
  ['one whose probe works', used(probing, 1, true), now, 0],
  ['one whose probe works no more', used(probing, 0), now, 1],
  ['one below its allowance', used(ramping, 1), now, 1],
  ['one at its allowance', used(ramping, 2), now, 0],
  ['one above its allowance', used(ramping, 3), now, 0],
])('roomIn %s', (_, account, nowMs, room) => {
  expect(roomIn(account, nowMs)).toBe(room)
})

it.each<[string, AccountInUse, string, boolean, boolean]>([
  ['of an open account', used(open, 9), 'g/s', false, true],
  ['of a parked one', used(parked, 0), 'g/s', true, false],
  ['of one that is probed by it', used(probing, 1, true), 'g/probe', true, true],
  ['of one that is probed by another', used(probing, 1, true), 'g/s', true, false],
  ['at work, of a ramping one at its allowance', used(ramping, 2), 'g/s', true, true],
  ['idle, of a ramping one at its allowance', used(ramping, 2), 'g/s', false, false],
  ['idle, of a ramping one below its allowance', used(ramping, 1), 'g/s', false, true],
])('mayTakeMore, a run %s', (_, account, sessionId, isWorking, may) => {
  expect(mayTakeMore(account, sessionId, isWorking)).toBe(may)
})
