import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Account, type AccountInUse, openAccount } from '../model/account.ts'
import {
  type AccountEvent,
  beginOn,
  decideAccount,
  dueAfterTrouble,
  isStallShared,
  mayTakeMore,
  roomIn,
  stallOn,
} from './decide-account.ts'

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
  isTroubled: true,
}
const over = { parkedUntilMs: now - 1, stepAtMs: now } as const
const probing: Account = { ...parked, ...over, state: 'probing', probeSessionId: 'g/probe' }
const ramping: Account = { ...parked, ...over, state: 'ramping', allowed: 2 }

function trouble(resetAtMs: number | null, isAlone = false): AccountEvent {
  return { kind: 'trouble', sessionId: 'g/probe', trouble: 'rate-limit', resetAtMs, isAlone }
}

/** Somebody was answered after the trouble. */
const told = { answers: 1, isTroubled: false } as const

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
        stepAtMs: null,
        answers: 0,
        isTroubled: true,
        stalls: [],
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
    ['parked: it was asked before', parked, 'g/s', { ...parked, ...told }, null],
    ['probing, of another than the probe: it too', probing, 'g/s', { ...probing, ...told }, null],
    [
      'probing, of the probe',
      probing,
      'g/probe',
      { state: 'ramping', allowed: 1, stepAtMs: now + 60_000, ...told },
      'account:ramped',
    ],
    [
      'ramping',
      ramping,
      'g/s',
      { state: 'ramping', allowed: 4, troubles: 1, stepAtMs: now + 60_000 },
      'account:ramped',
    ],
    ['ramping, near the top', { ...ramping, allowed: 3 }, 'g/s', { allowed: 6 }, 'account:ramped'],
    [
      'ramping, at the top',
      { ...ramping, allowed: 4 },
      'g/s',
      { state: 'open', troubles: 0, stepAtMs: null },
      'account:opened',
    ],
  ])('a message is completed while it is %s', (_, account, sessionId, expected, line) => {
    const step = decideAccount(account, completed(sessionId), policy, now)
    if (expected === null) expect(step).toBeNull()
    else expect(step).toMatchObject({ account: expected, line })
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

describe('decideAccount, of trouble that is not the account’s', () => {
  it.each([
    ['one message alone', open, true, 'g/s'],
    ['one message alone, the probe', probing, true, 'g/probe'],
    ['another than the probe', probing, false, 'g/s'],
  ])('of %s parks nobody', (_, account, isAlone, sessionId) => {
    const before = { ...account, isTroubled: false }
    const event = { kind: 'trouble', sessionId, trouble: 'outage', resetAtMs: now + HOUR_MS, isAlone } as const
    expect(decideAccount(before, event, policy, now)).toEqual({ account: { ...before, isTroubled: true }, line: null })
    expect(decideAccount({ ...before, isTroubled: true }, event, policy, now)).toBeNull()
  })

  it.each<[string, Account, boolean, number | null, number, number]>([
    ['with its account', parked, false, null, 0, now + HOUR_MS],
    ['by itself at first', open, true, null, 0, now + 60_000],
    ['by itself, longer each time', open, true, null, 1, now + 120_000],
    ['by itself to the reset it names', open, true, now + HOUR_MS, 0, now + HOUR_MS],
    ['by itself at most the longest park', open, true, Number.MAX_SAFE_INTEGER, 0, now + 24 * HOUR_MS],
    ['by itself beside a probe', probing, false, null, 0, now + 60_000],
  ])('lets its message wait %s', (_, account, isAlone, resetAtMs, aloneBefore, dueAtMs) => {
    expect(dueAfterTrouble(account, { resetAtMs, isAlone }, aloneBefore, policy, now)).toBe(dueAtMs)
  })
})

describe('decideAccount, by time', () => {
  const time = (isProbeWorking: boolean, isProbeAtIt: boolean): AccountEvent => {
    return { kind: 'time', isProbeWorking, isProbeAtIt }
  }

  it.each<[string, Account, AccountEvent, Partial<Account> | null, string | null]>([
    [
      'a probe at work for long',
      probing,
      time(true, true),
      { state: 'ramping', allowed: 1, probeSessionId: null },
      'account:ramped',
    ],
    ['a probe that still starts', probing, time(true, false), { state: 'probing', stepAtMs: now + 60_000 }, null],
    ['a probe that works no more', probing, time(false, false), { state: 'probing', stepAtMs: null }, null],
    [
      'some that work',
      ramping,
      time(false, false),
      { state: 'ramping', allowed: 4, stepAtMs: now + 60_000 },
      'account:ramped',
    ],
    [
      'many that work',
      { ...ramping, allowed: 4 },
      time(false, false),
      { state: 'open', stepAtMs: null },
      'account:opened',
    ],
    ['what is parked', parked, time(false, false), null, null],
    ['what is looked at too early', { ...ramping, stepAtMs: now + 1 }, time(false, false), null, null],
  ])('moves %s', (_, account, event, expected, line) => {
    const step = decideAccount(account, event, policy, now)
    if (expected === null) expect(step).toBeNull()
    else expect(step).toMatchObject({ account: expected, line })
  })
})

describe('(D21) a stall is shared', () => {
  const stalledAt = (sessionId: string, atMs: number) => stallOn(open, sessionId, atMs).account

  it.each<[string, Account, boolean]>([
    ['with nobody', open, false],
    ['with its own of before', stalledAt('g/s', now - 1), false],
    ['with another’s', stalledAt('g/t', now - 240_000), true],
    ['with none of long ago', stalledAt('g/t', now - 240_001), false],
    ['in an outage', { ...parked, reason: 'outage' }, true],
    ['in no rate limit', parked, false],
  ])('%s', (_, account, isShared) => {
    expect(isStallShared(account, 'g/s', policy, now)).toBe(isShared)
  })

  it('with none from before somebody was answered', () => {
    const account = decideAccount(stalledAt('g/t', now - 1), completed('g/u'), policy, now)?.account ?? open
    expect(isStallShared(account, 'g/s', policy, now)).toBe(false)
  })

  it('with the newest of many: no more than a few are kept', () => {
    let account = open
    for (let index = 0; index < 100; index += 1) account = stallOn(account, `g/${index}`, now).account
    expect(account.stalls.length).toBeLessThanOrEqual(8)
    expect(isStallShared(account, 'g/99', policy, now)).toBe(true)
  })
})

describe('beginOn', () => {
  it.each([
    ['open', open, null],
    ['parked', parked, 'account:probed'],
    ['probing, its probe gone', probing, 'account:probed'],
    ['ramping', ramping, null],
  ] as const)('of an account that is %s', (_, account, line) => {
    const step = beginOn(account, 'g/new', 60_000, now)
    if (line === null) expect(step).toBeNull()
    else {
      const begun = { ...account, state: 'probing', probeSessionId: 'g/new', stepAtMs: now + 60_000 }
      expect(step).toEqual({ account: begun, line })
    }
  })
})

function used(account: Account, working: number, isProbeWorking = false): AccountInUse {
  return { ...account, working, isProbeWorking, isProbeAtIt: isProbeWorking }
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
