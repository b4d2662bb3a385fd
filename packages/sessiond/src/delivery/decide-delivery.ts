import type { WebhookConfig } from '../config/config.ts'
import { backoffMs } from '../decide/backoff.ts'
import type { SinkOutcome } from './sink.ts'

/** How patiently a sink is tried. */
export type DeliveryPolicy = Pick<WebhookConfig, 'maxAttempts' | 'baseMs' | 'maxMs' | 'concurrency' | 'timeoutMs'>

export type DeliveryDecision =
  | { readonly action: 'delivered'; readonly platformMessageId: string | null }
  | { readonly action: 'retry'; readonly atMs: number; readonly error: string }
  | { readonly action: 'fail'; readonly because: 'permanent' | 'attempts-spent'; readonly error: string }

export interface DeliveryFacts {
  readonly outcome: SinkOutcome
  /** Number of the attempt just made, 1 for the first. */
  readonly attempt: number
  readonly policy: Pick<DeliveryPolicy, 'maxAttempts' | 'baseMs' | 'maxMs'>
  readonly nowMs: number
  /** Uniform in [0, 1). */
  readonly random: number
}

/** Decides what becomes of a delivery after an attempt. */
export function decideDelivery({ outcome, attempt, policy, nowMs, random }: DeliveryFacts): DeliveryDecision {
  if (outcome.confirmed) return { action: 'delivered', platformMessageId: outcome.platformMessageId }
  const { error } = outcome
  if (outcome.permanent) return { action: 'fail', because: 'permanent', error }
  if (attempt >= policy.maxAttempts) {
    return { action: 'fail', because: 'attempts-spent', error: `gave up after ${attempt} attempts: ${error}` }
  }
  // The upper half of the back-off is spread, so that sessions that failed together do not come back together.
  const fullMs = backoffMs(policy, attempt - 1, random)
  const waitMs = Math.round(fullMs / 2 + (fullMs / 2) * random)
  // What the other side asks for is heard, but it can hold a session up no longer than our own longest wait.
  const askedMs = Math.min(outcome.retryAfterMs ?? 0, policy.maxMs)
  return { action: 'retry', atMs: nowMs + Math.max(waitMs, askedMs), error }
}
