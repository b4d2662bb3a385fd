import type { SpawnPolicy } from '../config/config.ts'
import { backoffMs } from './backoff.ts'

export interface SpawnFailureDecision {
  readonly notBeforeMs: number
  /** What the user is told in the session; null: not this time. */
  readonly tell: string | null
}

/** How many failures lie between two reminders of the same trouble. */
const REMIND_EVERY = 100

/**
 * Decides after a run ended before its first claim: back off, for ever but ever slower up to the cap, and tell the
 * user once when it has happened `tellAfter` times in a row, then rarely (D9, H1).
 */
export function decideSpawnFailure(
  failuresBefore: number,
  error: string,
  policy: SpawnPolicy,
  nowMs: number,
): SpawnFailureDecision {
  const failures = failuresBefore + 1
  const isTime = failures === policy.tellAfter || (failures > policy.tellAfter && failures % REMIND_EVERY === 0)
  const waitMs = backoffMs(policy, failuresBefore, 0)
  return {
    notBeforeMs: nowMs + waitMs,
    tell: isTime
      ? `The agent could not be started ${failures} times in a row (${error}). Your messages are kept; it is tried again, at most every ${Math.round(policy.maxMs / 1000)} s.`
      : null,
  }
}
