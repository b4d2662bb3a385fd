import { SessiondError } from '../model/errors.ts'
import type { DeadLetter, Store } from '../store/store.ts'

/** Dead deliveries are named `delivery:<n>`; anything else is a message id. */
const DELIVERY_ID = /^delivery:(\d{1,15})$/

export interface DeadDeps {
  readonly store: Store
  readonly nowMs: () => number
}

/** Throws MESSAGE_NOT_FOUND or MESSAGE_NOT_DEAD. */
export async function showDead(deps: DeadDeps, id: string): Promise<DeadLetter> {
  const deliveryId = deliveryIdOf(id)
  if (deliveryId !== null) {
    const found = await deps.store.getDeadDelivery(deliveryId)
    if (found === null) throw refusal('not-found', id)
    return { kind: 'delivery', ...found }
  }
  const message = await deps.store.getMessage(id)
  if (message === null) throw refusal('not-found', id)
  if (!message.deadLetter) throw refusal('not-dead', id)
  return { kind: 'message', message }
}

/** Puts a dead letter back to work with no tries spent; returns the session to wake. */
export async function replayDead(deps: DeadDeps, id: string): Promise<string> {
  const dead = await showDead(deps, id)
  const nowMs = deps.nowMs()
  const outcome =
    dead.kind === 'message'
      ? await deps.store.replayDeadMessage(dead.message.id, nowMs)
      : await deps.store.replayDeadDelivery(dead.delivery.id, nowMs)
  if (outcome !== 'replayed') throw refusal(outcome, id)
  return dead.kind === 'message' ? dead.message.sessionId : dead.delivery.sessionId
}

/** Ends a dead letter for good; its record stays. */
export async function dropDead(deps: DeadDeps, id: string): Promise<void> {
  const deliveryId = deliveryIdOf(id)
  const outcome =
    deliveryId === null
      ? await deps.store.dropDeadMessage(id, deps.nowMs())
      : await deps.store.dropDeadDelivery(deliveryId, deps.nowMs())
  if (outcome !== 'dropped') throw refusal(outcome, id)
}

function deliveryIdOf(id: string): number | null {
  const match = DELIVERY_ID.exec(id)
  return match === null ? null : Number(match[1])
}

function refusal(outcome: 'not-found' | 'not-dead' | 'session-closed', id: string): SessiondError {
  const fields = { id }
  if (outcome === 'not-found')
    return new SessiondError('MESSAGE_NOT_FOUND', `There is no dead letter ${id}.`, { fields })
  if (outcome === 'not-dead') return new SessiondError('MESSAGE_NOT_DEAD', `${id} is no dead letter.`, { fields })
  return new SessiondError('SESSION_CLOSED', `The session of ${id} is closed.`, { fields })
}
