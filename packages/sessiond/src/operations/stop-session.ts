import { type EffectDeps, keyOf } from '../effects/deps.ts'
import { endClosed } from '../effects/end-closed.ts'
import { SessiondError } from '../model/errors.ts'
import type { Cause } from '../sweep/reconcile-session.ts'

export interface StopDeps extends EffectDeps {
  readonly trigger: (sessionId: string, cause: Cause) => Promise<unknown>
}

/**
 * Ends what the agent is doing: its claims end CANCELLED once its run is gone; what waits wakes a new run. The stop
 * itself is made by the session's next reconcile, so that it cannot overtake a start that is under way.
 */
export async function stopSession(
  deps: StopDeps,
  sessionId: string,
): Promise<{ cancelled: number; runStopped: boolean }> {
  const facts = await deps.store.readFacts(sessionId, deps.world.now())
  if (facts === null) throw sessionNotFound(sessionId)
  // Durable first: a host that dies here still ends these messages, by the cancel grace, instead of running them again.
  const cancelled = await deps.store.requestCancelOfClaimed(sessionId, deps.world.now())
  await deps.world.boundary('stop-session:cancelled')
  if (facts.run === null) return { cancelled, runStopped: false }
  const watch = deps.watches.of(keyOf(facts.run), deps.world.monotonicMs())
  watch.isStopRequested = true
  watch.isMailboxBehind = true
  await deps.trigger(sessionId, 'request')
  return { cancelled, runStopped: true }
}

/**
 * Closes a session for good: its run is stopped, pending messages end, nothing wakes it again. Resolves once they have
 * ended; should the host die before, its next start ends the rest.
 */
export async function closeSession(deps: StopDeps, sessionId: string): Promise<'closed' | 'already-closed'> {
  const outcome = await deps.store.closeSession(sessionId, deps.world.now())
  if (outcome === 'not-found') throw sessionNotFound(sessionId)
  await deps.world.boundary('close-session:closed')
  void deps.trigger(sessionId, 'request')
  await endClosed(deps)
  return outcome
}

/** Cancels one message; its run is told, and stopped if it does not listen within cancelGraceMs. */
export async function cancelMessage(deps: StopDeps, messageId: string): Promise<'cancelled' | 'requested'> {
  const outcome = await deps.store.requestCancel(messageId, deps.world.now())
  if (outcome === 'not-found') {
    throw new SessiondError('MESSAGE_NOT_FOUND', `There is no message ${messageId}.`, { fields: { messageId } })
  }
  if (outcome === 'not-open') {
    throw new SessiondError('MESSAGE_NOT_OPEN', `Message ${messageId} has already ended.`, { fields: { messageId } })
  }
  await deps.world.boundary('cancel:requested')
  const message = await deps.store.getMessage(messageId)
  if (message !== null) {
    const watch = deps.watches.find(message.sessionId)
    if (watch !== undefined) watch.isMailboxBehind = true
    void deps.trigger(message.sessionId, 'request')
  }
  return outcome
}

export function sessionNotFound(sessionId: string): SessiondError {
  return new SessiondError('SESSION_NOT_FOUND', `There is no session ${sessionId}.`, { fields: { sessionId } })
}
