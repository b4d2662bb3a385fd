import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import type { Projection } from '../mailbox/mailbox.ts'
import type { Run } from '../model/run.ts'
import type { WindowMessage } from '../store/store.ts'
import { briefRetries } from './brief-retries.ts'
import { type EffectDeps, type EffectOutcome, keyOf } from './deps.ts'

/**
 * Makes a live run's mailbox show what the store wants it to see: its claims, what is due up to the window, what was
 * given up, and how far its outbox was taken. `isDraining`: only what it already works on.
 */
export async function projectMailbox(deps: EffectDeps, run: Run, isDraining: boolean): Promise<EffectOutcome> {
  const watch = deps.watches.of(keyOf(run), deps.world.monotonicMs())
  const { windowMessages, windowBytes } = deps.config.mailbox
  // Before the look, so that a change made while we write is not mistaken for one we have written.
  watch.isMailboxBehind = false
  try {
    const limits = { messages: isDraining ? 0 : windowMessages, bytes: windowBytes }
    const messages = await deps.store.fillWindow(keyOf(run), deps.world.now(), limits, false)
    await deps.world.boundary('project:filled')
    if (messages === null) return { done: false, outcome: 'run-not-live' }
    const shown = isDraining ? messages.filter((message) => message.status === 'claimed') : messages
    await deps.mailbox.sync(await projectionOf(deps, run, shown))
    await deps.world.boundary('project:synced')
    return { done: true, outcome: `${shown.length} in the mailbox` }
  } catch (error) {
    watch.isMailboxBehind = true
    throw error
  }
}

/** The content of a run's mailbox, from the store's rows. */
export async function projectionOf(
  deps: EffectDeps,
  run: Run,
  messages: readonly WindowMessage[],
): Promise<Projection> {
  const session = await deps.store.getSession(run.sessionId)
  const briefs = await briefRetries(deps, run, messages)
  return {
    sessionId: run.sessionId,
    epoch: run.epoch,
    grantedAtMs: run.intendedAtMs,
    takenSeq: run.takenSeq,
    timeZone: session?.timeZone ?? deps.config.groups.get(run.group)?.timeZone ?? null,
    messages: messages.map((message) => ({
      message,
      isWanted: message.cancelRequestedAtMs === null,
      isHeldBack: message.isHeldBack,
      brief: briefs.get(message.id) ?? null,
    })),
    answers: await deps.store.listAnswers(keyOf(run), PROTOCOL_LIMITS.answers),
  }
}
