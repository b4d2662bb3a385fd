import type { Trouble } from '@sessiond/protocol'
import type { ProviderPolicy } from '../config/config.ts'
import type { Account, AccountInUse } from '../model/account.ts'
import { backoffMs } from './backoff.ts'

export type AccountEvent =
  /** A run said that the provider kept it from its model; `resetAtMs` null: nobody said until when. */
  | { readonly kind: 'trouble'; readonly trouble: Trouble; readonly resetAtMs: number | null }
  /** A run completed a message that asks for something. */
  | { readonly kind: 'completed'; readonly sessionId: string }

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
  return event.kind === 'trouble'
    ? afterTrouble(account, event, policy, nowMs)
    : afterCompletion(account, event.sessionId, policy)
}

/**
 * While it is parked, its other sessions run into the same wall one by one: that is one trouble, so it lasts no longer
 * for it, and people are told once. Of the ends they name the latest wins: whoever comes earlier meets the limit again,
 * and each of them is bounded by itself.
 */
function afterTrouble(
  account: Account,
  { trouble, resetAtMs }: AccountEvent & { kind: 'trouble' },
  policy: ProviderPolicy,
  nowMs: number,
): AccountStep | null {
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
    },
    line: 'account:parked',
  }
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

/**
 * What ends while it is parked was asked before, and so was what others than the probe end while it probes. Beyond
 * `openFrom` the allowance bounds nothing any more.
 */
function afterCompletion(account: Account, sessionId: string, policy: ProviderPolicy): AccountStep | null {
  const isAnswer = account.state === 'ramping' || (account.state === 'probing' && account.probeSessionId === sessionId)
  if (!isAnswer) return null
  const allowed = account.state === 'probing' ? policy.ramp : account.allowed * 2
  if (allowed >= policy.openFrom) {
    return {
      account: { ...account, state: 'open', probeSessionId: null, allowed: 0, troubles: 0 },
      line: 'account:opened',
    }
  }
  return { account: { ...account, state: 'ramping', probeSessionId: null, allowed }, line: 'account:ramped' }
}

/** A session of the account begins to run, where `roomIn` left room: the first after a park is its probe. */
export function beginOn(account: Account, sessionId: string): AccountStep | null {
  if (account.state !== 'parked' && account.state !== 'probing') return null
  return { account: { ...account, state: 'probing', probeSessionId: sessionId }, line: 'account:probed' }
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
