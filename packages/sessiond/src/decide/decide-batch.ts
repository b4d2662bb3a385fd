import type { RetryPolicy } from '../config/config.ts'
import type { Message } from '../model/message.ts'
import { type Beside, decideRetry, type Mishap, type RetryDecision } from './decide-retry.ts'

type Member = Pick<Message, 'id' | 'trigger' | 'tries' | 'attempt' | 'answered' | 'cancelRequestedAtMs' | 'troubles'>

/**
 * Decides what becomes of all messages that met the same mishap in one run's hands. Which of them is to blame nobody can
 * tell, so each spends a try and none is given up; from its second death on each is handed out alone, where it can be
 * told. A message that is guilty thus dies beside others at most twice, and the rest of its tries by itself.
 *
 * All wait as long as the one that has died most often, and by one draw: what died together comes back in its order.
 */
export function decideBatch(
  messages: readonly Member[],
  mishap: Mishap,
  policy: RetryPolicy,
  nowMs: number,
  random: number,
): ReadonlyMap<string, RetryDecision> {
  const triggers = messages.filter((message) => message.trigger)
  const ids = new Set(triggers.map(({ id }) => id))
  const mostTries = Math.max(0, ...triggers.map(({ tries }) => tries))
  const decide = (message: Member, beside: Beside) => decideRetry(message, mishap, policy, nowMs, random, beside)
  const decisions = new Map<string, RetryDecision>()
  for (const message of triggers) {
    decisions.set(message.id, decide(message, { others: ids.size - 1, mostTries }))
  }
  const isSomeoneGivenUp = [...decisions.values()].some(isExhausted)
  for (const message of messages) {
    if (message.trigger) continue
    const decision = decide(message, { others: Math.max(0, ids.size - 1), mostTries })
    decisions.set(message.id, asContext(decision, isSomeoneGivenUp, nowMs))
  }
  return decisions
}

function isExhausted(decision: RetryDecision): boolean {
  return decision.action === 'give-up' && decision.failure === 'TRIES_EXHAUSTED'
}

/**
 * Context is never handed out by itself, so it dies whenever its trigger does. The death that ends the trigger is the
 * trigger's; should the context be to blame after all, it shows at the next one.
 */
function asContext(decision: RetryDecision, isSomeoneGivenUp: boolean, nowMs: number): RetryDecision {
  if (decision.action === 'retry') return { ...decision, isSuspect: false }
  if (!isSomeoneGivenUp || decision.action === 'complete' || !isExhausted(decision)) return decision
  const { because, error } = decision
  return { action: 'retry', spendsTry: false, isSuspect: false, atMs: nowMs, because, error }
}
