import { parseTimestamp } from '@sessiond/protocol'
import type { RetryPolicy } from '../config/config.ts'
import type { OutboxBatch, SeenAck } from '../mailbox/mailbox.ts'
import type { Message } from '../model/message.ts'
import type { CountedAck, Settlement } from '../store/store.ts'
import { decideBatch } from './decide-batch.ts'
import type { Mishap, RetryDecision } from './decide-retry.ts'

/** What the store knows of the messages a batch mentions, by id. */
export interface KnownMessages {
  readonly messages: ReadonlyMap<string, Message>
  /** The last acknowledgement without attempt that counted, of those that have one. */
  readonly countedAcks: ReadonlyMap<string, string>
  /** `Account.answers` of the session's account. */
  readonly answers: number
}

export interface OutboxDecision {
  readonly settlements: readonly Settlement[]
  /** What the store has to remember of acknowledgements without attempt, so that each counts once. */
  readonly countedAcks: readonly CountedAck[]
  /** Evidence that does not count, with the reason, for the journal. */
  readonly ignored: readonly { readonly messageId: string; readonly because: string }[]
}

/**
 * Decides what a run's acknowledgements mean. Only what speaks of a message this run was given, at the attempt it
 * was given, counts (invariant 3, G7). A row without attempt stands in the outbox after the message is handed out anew
 * to the same run: it counts again only when it has changed since it did.
 */
export function decideOutbox(
  batch: OutboxBatch,
  run: { readonly sessionId: string; readonly epoch: number },
  known: KnownMessages,
  policy: RetryPolicy,
  nowMs: number,
  random: number,
): OutboxDecision {
  const settlements: Settlement[] = []
  const countedAcks: CountedAck[] = []
  const ignored: { messageId: string; because: string }[] = []
  const counting: CountingAck[] = []
  const answered = new Set(batch.replies.map((reply) => reply.inReplyTo))
  for (const ack of batch.acks) {
    const message = known.messages.get(ack.messageId)
    const counted = known.countedAcks.get(ack.messageId)
    const because = whyIgnored(ack, message, counted, run)
    if (message === undefined || because !== null) {
      if (because !== 'already-counted')
        ignored.push({ messageId: ack.messageId, because: because ?? 'unknown-message' })
      continue
    }
    counting.push({ ack, message: { ...message, answered: message.answered || answered.has(message.id) } })
    if (ack.attempt === null) countedAcks.push({ messageId: ack.messageId, ack: wordsOf(ack, run.epoch) })
  }
  const failures = decideFailures(counting, known.answers, policy, nowMs, random)
  for (const { ack, message } of counting) settlements.push(...settle(ack, message, failures))
  return { settlements, countedAcks, ignored }
}

/** An acknowledgement that counts, with the message it speaks of. */
interface CountingAck {
  readonly ack: SeenAck
  readonly message: Message
}

/** What failed together is decided together; the rest each by itself. */
function decideFailures(
  counting: readonly CountingAck[],
  answers: number,
  policy: RetryPolicy,
  nowMs: number,
  random: number,
): ReadonlyMap<SeenAck, RetryDecision> {
  const failed = counting.filter(({ ack }) => ack.status === 'failed')
  const batches = Map.groupBy(failed, ({ ack }) => failureOf(ack))
  const decisions = new Map<SeenAck, RetryDecision>()
  for (const together of batches.values()) {
    const [first] = together
    if (first === undefined) continue
    const { error, trouble } = first.ack
    const mishap: Mishap = { kind: 'agent-failed', error, retryAtMs: retryAtOf(first.ack, nowMs), trouble, answers }
    const messages = together.map(({ message }) => message)
    const decided = decideBatch(messages, mishap, policy, nowMs, random)
    for (const { ack, message } of together) {
      const decision = decided.get(message.id)
      if (decision !== undefined) decisions.set(ack, decision)
    }
  }
  return decisions
}

/**
 * When a run wants to come back, by the host's clock. The run's may be hours off, so what counts is how long it asked
 * for; its word as it stands counts where it comes sooner, as it does when the host was away in between. A provider's
 * reset that has gone by costs a probe to look. What else was postponed is postponed as long again: going by a clock that
 * lags it would spin.
 */
function retryAtOf({ retryAtMs, statusChanged, trouble }: SeenAck, nowMs: number): number | null {
  const changedAtMs = parseTimestamp(statusChanged)
  if (retryAtMs === null || changedAtMs === undefined) return retryAtMs
  const relativeMs = nowMs + Math.max(0, retryAtMs - changedAtMs)
  return retryAtMs > nowMs || trouble !== null ? Math.min(retryAtMs, relativeMs) : relativeMs
}

/**
 * A runner ends a batch in one transaction, with one stamp and one error: by these its common failure is told from
 * failures that came one after the other. A row without stamp is one by itself.
 */
function failureOf(ack: SeenAck): string {
  const { messageId, statusChanged, error, retryAtMs, trouble } = ack
  return JSON.stringify(statusChanged === null ? [messageId] : [statusChanged, error, retryAtMs, trouble])
}

function whyIgnored(
  ack: SeenAck,
  message: Message | undefined,
  counted: string | undefined,
  run: { readonly sessionId: string; readonly epoch: number },
): string | null {
  if (message === undefined || message.sessionId !== run.sessionId) return 'unknown-message'
  if (ack.epoch !== null && ack.epoch !== run.epoch) return 'other-epoch'
  if (ack.attempt !== null && ack.attempt < message.attempt) return 'already-counted'
  if (ack.attempt !== null && ack.attempt > message.attempt) return 'attempt-not-given'
  if (ack.attempt === null && counted === wordsOf(ack, run.epoch)) return 'already-counted'
  if (message.status === 'completed' || message.status === 'failed') return 'already-counted'
  if (message.projectedEpoch !== run.epoch) return message.attempt === 0 ? 'not-given' : 'already-counted'
  if (ack.status === 'processing' && message.status === 'claimed') return 'already-counted'
  return null
}

/** Tells an acknowledgement of one run from the next one about the same message. */
function wordsOf({ status, statusChanged }: SeenAck, epoch: number): string {
  return `${epoch} ${status} ${statusChanged ?? ''}`
}

function settle(ack: SeenAck, message: Message, failures: ReadonlyMap<SeenAck, RetryDecision>): Settlement[] {
  const at = { messageId: message.id, attempt: message.attempt }
  const claim: Settlement[] = message.status === 'claimed' ? [] : [{ ...at, to: 'claimed' }]
  if (ack.status === 'processing') return claim
  if (ack.status === 'completed') return [...claim, { ...at, to: 'completed' }]
  const failure = failures.get(ack)
  return failure === undefined ? claim : [...claim, settlementOf(message, failure)]
}

/** Turns a retry decision into the settlement that carries it out. */
export function settlementOf(message: Message, decision: RetryDecision): Settlement {
  const at = { messageId: message.id, attempt: message.attempt }
  if (decision.action === 'complete') return { ...at, to: 'completed' }
  const { spendsTry, because, error } = decision
  if (decision.action === 'retry') {
    const { isSuspect, atMs: processAfterMs, trouble, troubles } = decision
    const retry = { ...at, to: 'retry', spendsTry, isSuspect, processAfterMs, error, because } as const
    return { ...retry, ...(trouble && { trouble }), ...(troubles && { troubles }) }
  }
  const isToldAndKept = decision.failure === 'TRIES_EXHAUSTED'
  return {
    ...at,
    to: 'failed',
    spendsTry,
    failure: decision.failure,
    error,
    because,
    deadLetter: isToldAndKept,
    tell: isToldAndKept ? tellFailure(message, because, error) : null,
  }
}

function tellFailure(message: Message, because: string, error: string | null): string {
  const why = error === null || error === '' ? because : error
  const bounded = why.length > 300 ? `${why.slice(0, 300)}…` : why
  return `This message could not be completed after ${message.tries + 1} tries: ${bounded} It is kept as dead letter ${message.id}.`
}
