import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import { decideOutbox, type KnownMessages } from '../decide/decide-outbox.ts'
import type { OutboxBatch, SeenReply } from '../mailbox/mailbox.ts'
import { type JournalEntry, runLine } from '../model/journal.ts'
import type { Run } from '../model/run.ts'
import type { RunWatch } from '../observe/run-watch.ts'
import type { NewReply } from '../store/store.ts'
import { type EffectDeps, type EffectOutcome, keyOf, sinksOf } from './deps.ts'

/** Batches taken of a live run in one go: one that writes faster than it is read must still be judged, and stopped. */
const MAX_BATCHES = 16

/**
 * Copies what a run wrote into the store, batch by batch, once: settles acknowledgements, adds replies and moves the
 * cursor in one transaction each. Writes nothing when there is nothing new. `isFinal`: its exit is confirmed, and all of
 * it is taken; of a live run no more than MAX_BATCHES, and `againInMs` says that there is more.
 */
export async function takeOutbox(deps: EffectDeps, run: Run, isFinal: boolean): Promise<EffectOutcome> {
  let afterSeq = run.takenSeq
  let taken = 0
  let accountMoved = false
  for (let batches = 1; ; batches += 1) {
    const batch = isFinal
      ? await deps.mailbox.takeFinal(run.sessionId, afterSeq)
      : await deps.mailbox.take(run.sessionId, afterSeq)
    await deps.world.boundary('take:read')
    const stored = await storeBatch(deps, run, batch, afterSeq)
    await deps.world.boundary('take:stored')
    if (stored === 'not-live') return { done: false, outcome: 'run-not-live' }
    taken += stored.changes
    accountMoved ||= stored.accountMoved
    afterSeq = Math.max(afterSeq, batch.lastSeq)
    if (!batch.hasMore) return { done: taken > 0, outcome: `took ${taken}`, accountMoved }
    if (!isFinal && batches === MAX_BATCHES)
      return { done: true, outcome: `took ${taken} so far`, accountMoved, againInMs: 0 }
  }
}

async function storeBatch(
  deps: EffectDeps,
  run: Run,
  batch: OutboxBatch,
  afterSeq: number,
): Promise<{ readonly changes: number; readonly accountMoved: boolean } | 'not-live'> {
  const nowMs = deps.world.now()
  const watch = deps.watches.of(keyOf(run), deps.world.monotonicMs())
  watch.noteState(batch.state, deps.world.monotonicMs())
  const known = await readMentioned(deps, run, batch)
  const policy = retryPolicyOf(deps, run.group)
  const decision = decideOutbox(batch, run, known, policy, nowMs, deps.world.random())
  const { said, asked, tooLarge } = splitReplies(batch.replies)
  const replies = said.map((reply) => toNewReply(reply, run, known.messages, nowMs))
  const sessionState = changedState(watch, batch)
  const lines = untoldLines(watch, run, [...batch.refused, ...tooLarge], decision.ignored, nowMs)
  const changes = decision.settlements.length + replies.length + asked.length + sessionState.length
  if (changes + lines.size === 0 && batch.lastSeq <= afterSeq) return { changes, accountMoved: false }
  const result = await deps.store.takeOutbox({
    run: keyOf(run),
    nowMs,
    settlements: decision.settlements,
    countedAcks: decision.countedAcks,
    replies,
    requests: asked,
    takenSeq: Math.max(afterSeq, batch.lastSeq),
    sessionState,
    provider: deps.config.provider,
    sinks: sinksOf(deps.config, run.group),
    journal: [...lines.values()],
  })
  watch.noteTold(lines.keys())
  if (!result.applied) return 'not-live'
  for (const { messageId, to } of decision.settlements) {
    if (to !== 'claimed') watch.noteEnded(messageId, deps.world.monotonicMs())
  }
  if (sessionState.length > 0) watch.sessionStateText = JSON.stringify(batch.sessionState)
  // The run may now forget what was taken, and sees what its acknowledgements came to.
  if (hasEnded(decision.settlements) || replies.length > 0 || asked.length > 0) watch.isMailboxBehind = true
  return { changes, accountMoved: result.accountMoved }
}

async function readMentioned(deps: EffectDeps, run: Run, batch: OutboxBatch): Promise<KnownMessages> {
  const ids = new Set(batch.acks.map((ack) => ack.messageId))
  for (const { inReplyTo } of batch.replies) if (inReplyTo !== null) ids.add(inReplyTo)
  const messages = ids.size === 0 ? [] : await deps.store.getMessages([...ids])
  const withoutAttempt = batch.acks.filter(({ attempt }) => attempt === null).map(({ messageId }) => messageId)
  const countedAcks = withoutAttempt.length === 0 ? new Map() : await deps.store.getCountedAcks(withoutAttempt)
  // Of no use to anything but trouble, which is rare.
  const isTroubled = batch.acks.some(({ trouble }) => trouble !== null)
  const answers = isTroubled ? (await deps.store.getAccount(run.group)).answers : 0
  return { messages: new Map(messages.map((message) => [message.id, message])), countedAcks, answers }
}

/** The seed's figures, for a session whose group has left the configuration while its run still talks. */
function retryPolicyOf(deps: EffectDeps, group: string) {
  return deps.config.groups.get(group)?.retry ?? deps.config.defaults.retry
}

/** What a run says to people, and what it asks of the host: of kind `system`, with an action. */
function splitReplies(replies: readonly SeenReply[]): {
  readonly said: readonly SeenReply[]
  readonly asked: readonly SeenReply[]
  readonly tooLarge: OutboxBatch['refused']
} {
  const asked = replies.filter(isRequest)
  const fits = asked.filter(({ content }) => Buffer.byteLength(content) <= PROTOCOL_LIMITS.requestBytes)
  const tooLarge = fits.length === asked.length ? [] : [{ what: 'a request', because: 'over the size bound' }]
  return { said: replies.filter((reply) => !isRequest(reply)), asked: fits, tooLarge }
}

function isRequest({ kind, content }: SeenReply): boolean {
  return kind === 'system' && typeof Reflect.get(JSON.parse(content), 'action') === 'string'
}

/** A reply counts as an answer only to a message this run was given; its address defaults to that message's. */
function toNewReply(reply: SeenReply, run: Run, known: KnownMessages['messages'], nowMs: number): NewReply {
  const subject = reply.inReplyTo === null ? undefined : known.get(reply.inReplyTo)
  const wasGiven =
    subject !== undefined &&
    subject.sessionId === run.sessionId &&
    (subject.projectedEpoch === run.epoch || subject.claimEpoch === run.epoch)
  const hasAddress = Object.values(reply.address).some((part) => part !== null)
  return {
    id: reply.id,
    seq: reply.seq,
    inReplyTo: wasGiven ? subject.id : null,
    kind: reply.kind,
    content: reply.content,
    deliverAfterMs: reply.deliverAfterMs ?? nowMs,
    address: !hasAddress && wasGiven ? subject.address : reply.address,
  }
}

function changedState(watch: RunWatch, batch: OutboxBatch): OutboxBatch['sessionState'] {
  if (batch.sessionState.length === 0) return []
  return JSON.stringify(batch.sessionState) === watch.sessionStateText ? [] : batch.sessionState
}

function hasEnded(settlements: readonly { to: string }[]): boolean {
  return settlements.some((settlement) => settlement.to !== 'claimed')
}

/** A line for each piece of evidence that does not count and was not told of yet, by that piece. */
function untoldLines(
  watch: RunWatch,
  run: Run,
  refusedRows: OutboxBatch['refused'],
  ignored: readonly { messageId: string; because: string }[],
  nowMs: number,
): ReadonlyMap<string, JournalEntry> {
  const lines = new Map<string, JournalEntry>()
  for (const { messageId, because } of ignored) {
    const detail = { what: 'acknowledgement', because }
    lines.set(`${messageId} ${because}`, runLine('evidence:ignored', nowMs, keyOf(run), detail, messageId))
  }
  for (const refused of refusedRows) {
    const line = runLine('evidence:ignored', nowMs, keyOf(run), { ...refused })
    lines.set(`${refused.what} ${refused.because}`, line)
  }
  const untold = watch.untold(lines.keys())
  return new Map([...lines].filter(([evidence]) => untold.has(evidence)))
}
