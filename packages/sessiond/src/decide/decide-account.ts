import type { Trouble } from '@sessiond/protocol'
import type { ProviderPolicy } from '../config/config.ts'
import type { Account, AccountInUse } from '../model/account.ts'
import { backoffMs } from './backoff.ts'

export type AccountEvent =
  /** A run said that the provider kept it from its model; `resetAtMs` null: nobody said until when. */
  | {
      readonly kind: 'trouble'
      readonly sessionId: string
      readonly trouble: Trouble
      readonly resetAtMs: number | null
      /** Only one message meets it (see decideTrouble). */
      readonly isAlone: boolean
    }
  /** A run completed a message that asks for something. */
  | { readonly kind: 'completed'; readonly sessionId: string }
  /** `stepAtMs` has come. */
  | { readonly kind: 'time'; readonly isProbeWorking: boolean; readonly isProbeAtIt: boolean }

/** What an account is from now on, and the line that tells of it; null: nobody needs to hear. */
export interface AccountStep {
  readonly account: Account
  readonly line: 'account:parked' | 'account:probed' | 'account:ramped' | 'account:opened' | null
}

/** Decides what an event makes of an account; null: nothing. */
export function decideAccount(
  account: Account,
  event: AccountEvent,
  policy: ProviderPolicy,
  nowMs: number,
): AccountStep | null {
  switch (event.kind) {
    case 'trouble':
      return afterTrouble(account, event, policy, nowMs)
    case 'completed':
      return afterCompletion(account, event.sessionId, policy, nowMs)
    case 'time':
      return afterTime(account, event, policy, nowMs)
  }
}

/**
 * While it is parked, its other sessions run into the same wall one by one: that is one trouble, so it lasts no longer
 * for it, and people are told once. Of the ends they name the latest wins: whoever comes earlier meets the limit again,
 * and each of them is bounded by itself. While it is probed, only the probe's word counts: the others asked before it.
 */
function afterTrouble(
  account: Account,
  { sessionId, trouble, resetAtMs, isAlone }: AccountEvent & { kind: 'trouble' },
  policy: ProviderPolicy,
  nowMs: number,
): AccountStep | null {
  const isOthers = account.state === 'probing' && account.probeSessionId !== sessionId
  if (isAlone || isOthers) return account.isTroubled ? null : { account: { ...account, isTroubled: true }, line: null }
  if (account.state === 'parked') {
    const untilMs = parkedUntilMs(resetAtMs, account.troubles - 1, policy, nowMs)
    return untilMs <= account.parkedUntilMs ? null : { account: { ...account, parkedUntilMs: untilMs }, line: null }
  }
  return {
    account: {
      ...account,
      state: 'parked',
      reason: trouble,
      parkedAtMs: nowMs,
      parkedUntilMs: parkedUntilMs(resetAtMs, account.troubles, policy, nowMs),
      probeSessionId: null,
      allowed: 0,
      troubles: account.troubles + 1,
      stepAtMs: null,
      isTroubled: true,
    },
    line: 'account:parked',
  }
}

/**
 * When a message that met trouble is due again: with its account, or, where the account goes on without it, after a wait
 * of its own that grows with each time.
 */
export function dueAfterTrouble(
  account: Account,
  { resetAtMs, isAlone }: Pick<AccountEvent & { kind: 'trouble' }, 'resetAtMs' | 'isAlone'>,
  aloneBefore: number,
  policy: ProviderPolicy,
  nowMs: number,
): number {
  if (!isAlone && account.state === 'parked') return account.parkedUntilMs
  return parkedUntilMs(resetAtMs, isAlone ? aloneBefore : 0, policy, nowMs)
}

/**
 * A reset that has gone by says nothing of when, and counts as none. The first one is taken at its word up to the longest
 * park: a limit may really last so long, and looking once more when it has not ended costs one probe. After a probe that
 * failed the word was wrong, so it is at least the wait that grows with each.
 */
function parkedUntilMs(
  resetAtMs: number | null,
  troublesBefore: number,
  policy: ProviderPolicy,
  nowMs: number,
): number {
  const ownMs = nowMs + backoffMs({ baseMs: policy.waitMs, maxMs: policy.maxWaitMs }, troublesBefore, 0)
  const isNamed = resetAtMs !== null && resetAtMs > nowMs
  const wantedMs = !isNamed ? ownMs : troublesBefore === 0 ? resetAtMs : Math.max(resetAtMs, ownMs)
  return Math.min(wantedMs, nowMs + policy.maxParkMs)
}

/** What ends while it is parked was asked before, and so was what others than the probe end while it probes. */
function afterCompletion(
  before: Account,
  sessionId: string,
  policy: ProviderPolicy,
  nowMs: number,
): AccountStep | null {
  const account = answered(before)
  const isAnswer = account.state === 'ramping' || (account.state === 'probing' && account.probeSessionId === sessionId)
  if (isAnswer) return widen(account, policy, nowMs)
  return account === before ? null : { account, line: null }
}

/** Whatever was in trouble, somebody was answered since: the next trouble of a message may be its own. */
function answered(account: Account): Account {
  if (!account.isTroubled && account.stalls.length === 0) return account
  return { ...account, answers: account.answers + (account.isTroubled ? 1 : 0), isTroubled: false, stalls: [] }
}

/** Twice as many may work. Beyond `openFrom` the allowance bounds nothing any more. */
function widen(account: Account, policy: ProviderPolicy, nowMs: number): AccountStep {
  const allowed = account.state === 'probing' ? policy.ramp : account.allowed * 2
  if (allowed >= policy.openFrom) {
    return {
      account: { ...account, state: 'open', probeSessionId: null, allowed: 0, troubles: 0, stepAtMs: null },
      line: 'account:opened',
    }
  }
  return {
    account: { ...account, state: 'ramping', probeSessionId: null, allowed, stepAtMs: nowMs + policy.waitMs },
    line: 'account:ramped',
  }
}

/**
 * Work that goes on for `wait` without trouble is an answer too: a task of hours must not keep its account at one session
 * for hours. A probe that has not come up yet has asked nothing, and one that works no more is replaced.
 */
function afterTime(
  account: Account,
  { isProbeWorking, isProbeAtIt }: AccountEvent & { kind: 'time' },
  policy: ProviderPolicy,
  nowMs: number,
): AccountStep | null {
  if (account.stepAtMs === null || account.stepAtMs > nowMs) return null
  if (account.state === 'ramping' || (account.state === 'probing' && isProbeAtIt)) return widen(account, policy, nowMs)
  const stepAtMs = account.state === 'probing' && isProbeWorking ? nowMs + policy.waitMs : null
  return { account: { ...account, stepAtMs }, line: null }
}

/** Kept of those that stalled: more say nothing more. */
const MAX_STALLS = 8

/** A run of the account has to be stopped because nothing in it moves. */
export function stallOn(account: Account, sessionId: string, atMs: number): AccountStep {
  const others = account.stalls.filter((stall) => stall.sessionId !== sessionId)
  return { account: { ...account, stalls: [...others, { sessionId, atMs }].slice(-MAX_STALLS) }, line: null }
}

/**
 * Whether a run that stalled did so with others of its account (D21): another one stalled within the longest wait for an
 * outage to end, and nobody of the account was answered in between. Or the account is known to be in an outage.
 */
export function isStallShared(account: Account, sessionId: string, policy: ProviderPolicy, nowMs: number): boolean {
  if (account.state !== 'open' && account.reason === 'outage') return true
  const since = nowMs - policy.maxWaitMs
  return account.stalls.some((stall) => stall.sessionId !== sessionId && stall.atMs >= since)
}

/** A session of the account begins to run, where `roomIn` left room: the first after a park is its probe. */
export function beginOn(account: Account, sessionId: string, waitMs: number, nowMs: number): AccountStep | null {
  if (account.state !== 'parked' && account.state !== 'probing') return null
  return {
    account: { ...account, state: 'probing', probeSessionId: sessionId, stepAtMs: nowMs + waitMs },
    line: 'account:probed',
  }
}

/** How many more sessions of the account may begin to work. A probe that works no more has told nothing, and is replaced. */
export function roomIn(account: AccountInUse, nowMs: number): number {
  switch (account.state) {
    case 'open':
      return Number.POSITIVE_INFINITY
    case 'parked':
      return nowMs < account.parkedUntilMs ? 0 : 1
    case 'probing':
      return account.isProbeWorking ? 0 : 1
    case 'ramping':
      return Math.max(0, account.allowed - account.working)
  }
}

/**
 * Whether a session's live run may be handed more. A run that was there before the park is no probe: the probe is the
 * oldest due session of the account, whether or not its run is warm, and only a beginning tells who that is.
 */
export function mayTakeMore(account: AccountInUse, sessionId: string, isWorking: boolean): boolean {
  switch (account.state) {
    case 'open':
      return true
    case 'parked':
      return false
    case 'probing':
      return account.probeSessionId === sessionId
    case 'ramping':
      return isWorking || account.working < account.allowed
  }
}
