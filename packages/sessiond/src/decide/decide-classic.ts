import type { StuckPolicy } from '../config/config.ts'

/**
 * What the host saw of a run's clocks, as ages on its own monotonic clock. `watchedForMs` starts anew when the
 * host starts, adopts the run or was itself late, so that time the judge slept counts against nobody.
 */
export interface ClassicClocks {
  readonly watchedForMs: number
  /** Since the heartbeat was last seen to move; null: not yet in this watch. */
  readonly heartbeatAgeMs: number | null
  readonly claims: readonly ClaimClock[]
  /** Time-out the tool in flight declared; null: none in flight or none declared. */
  readonly declaredToolMs: number | null
  /** Since messages lie in its mailbox with none claimed; null: none do. */
  readonly unheededForMs: number | null
}

/** What of the policy the seed's judgement knows. */
export type ClassicPolicy = Pick<StuckPolicy, 'claimSilentMs' | 'ceilingMs' | 'maxToolTimeoutMs'>

export interface ClaimClock {
  readonly messageId: string
  readonly ageMs: number
  readonly hasBeatenSince: boolean
}

export type ClassicDecision =
  | { readonly action: 'leave'; readonly recheckInMs: number }
  | {
      readonly action: 'stop'
      readonly because: 'claim-silent' | 'ceiling'
      readonly silentForMs: number
      readonly toleranceMs: number
      readonly messageId: string | null
    }

/** The seed's rule: a claim without a heartbeat since, or no heartbeat at all for long, each widened by a declared tool. */
export function decideClassic(clocks: ClassicClocks, policy: ClassicPolicy): ClassicDecision {
  const declaredMs = Math.min(clocks.declaredToolMs ?? 0, policy.maxToolTimeoutMs)
  const ceilingMs = Math.max(policy.ceilingMs, declaredMs)
  // A run that never beat is judged from when we began to watch it, never as infinitely stale (A1).
  const silentForMs = Math.min(clocks.watchedForMs, clocks.heartbeatAgeMs ?? Number.POSITIVE_INFINITY)
  if (silentForMs > ceilingMs) {
    return { action: 'stop', because: 'ceiling', silentForMs, toleranceMs: ceilingMs, messageId: null }
  }
  // It beats but takes nothing: without this it would keep its slot, and its messages, for ever.
  const unheededForMs = Math.min(clocks.watchedForMs, clocks.unheededForMs ?? 0)
  if (unheededForMs > policy.ceilingMs) {
    const toleranceMs = policy.ceilingMs
    return { action: 'stop', because: 'ceiling', silentForMs: unheededForMs, toleranceMs, messageId: null }
  }
  const toleranceMs = Math.max(policy.claimSilentMs, declaredMs)
  const silent = clocks.claims.filter((claim) => !claim.hasBeatenSince)
  for (const claim of silent) {
    const ageMs = Math.min(claim.ageMs, clocks.watchedForMs)
    if (ageMs > toleranceMs) {
      return { action: 'stop', because: 'claim-silent', silentForMs: ageMs, toleranceMs, messageId: claim.messageId }
    }
  }
  const claimLeftMs = silent.map((claim) => toleranceMs - Math.min(claim.ageMs, clocks.watchedForMs))
  const heedLeftMs = clocks.unheededForMs === null ? [] : [policy.ceilingMs - unheededForMs]
  return {
    action: 'leave',
    recheckInMs: Math.max(0, Math.min(ceilingMs - silentForMs, ...claimLeftMs, ...heedLeftMs)) + 1,
  }
}
