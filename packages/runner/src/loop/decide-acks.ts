import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import { describeError } from '../errors.ts'
import type { Ack, InboundMessage } from '../mailbox-client.ts'
import { RetryLater } from '../retry-later.ts'

/** How a handler came to its end. */
export type Outcome =
  | { readonly kind: 'returned'; readonly text: string | null }
  | { readonly kind: 'threw'; readonly error: unknown }

/** Why a handler's signal was aborted, if it was. */
export type Interruption =
  | { readonly kind: 'none' }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'cancelled'; readonly messageIds: ReadonlySet<string> }

export interface DecideAcksInput {
  readonly messages: readonly InboundMessage[]
  /** Messages the handler replied to explicitly. */
  readonly answeredIds: ReadonlySet<string>
  readonly outcome: Outcome
  readonly interruption: Interruption
  readonly nowMs: number
}

export interface AckDecision {
  readonly acks: readonly Ack[]
  /** The reply to the last message, to be written with the acknowledgements. */
  readonly replyText: string | null
}

/**
 * Decides what to acknowledge after a batch. Answered is completed, always. Work that was merely interrupted is
 * left claimed, so that the host hands it out again without blame; work beside a cancelled message is given back
 * with an immediate retry, which spends no try.
 */
export function decideAcks(input: DecideAcksInput): AckDecision {
  const { messages, outcome, interruption } = input
  if (interruption.kind === 'cancelled') {
    return { acks: messages.map((message) => afterCancel(message, input)), replyText: null }
  }
  if (outcome.kind === 'returned' && !isCutShort(input, outcome.text)) {
    return { acks: messages.map((message) => completed(message)), replyText: outcome.text }
  }
  const acks = messages.map((message) => afterFailure(message, input)).filter((ack) => ack !== null)
  return { acks, replyText: null }
}

/** A handler that returns nothing after being told to stop has, for all anyone knows, just stopped. */
function isCutShort({ interruption, answeredIds }: DecideAcksInput, text: string | null): boolean {
  return interruption.kind === 'stopping' && text === null && answeredIds.size === 0
}

/** Null: left claimed, for the host to hand out again. */
function afterFailure(
  message: InboundMessage,
  { outcome, interruption, answeredIds, nowMs }: DecideAcksInput,
): Ack | null {
  const error = outcome.kind === 'threw' ? outcome.error : undefined
  if (answeredIds.has(message.id)) return completed(message, error)
  if (interruption.kind === 'stopping') return null
  return { ...failed(message, errorText(error), retryAtMs(error, nowMs)), trouble: troubleOf(error) }
}

function afterCancel(message: InboundMessage, input: DecideAcksInput): Ack {
  if (input.answeredIds.has(message.id)) return completed(message)
  const isCancelled = input.interruption.kind === 'cancelled' && input.interruption.messageIds.has(message.id)
  if (isCancelled) return failed(message, 'cancelled', null)
  return failed(message, 'interrupted: a message worked on together with this one was cancelled', input.nowMs)
}

function completed({ id, attempt }: InboundMessage, error?: unknown): Ack {
  const text = error === undefined ? null : errorText(error)
  return { messageId: id, attempt, status: 'completed', error: text, retryAtMs: null, trouble: null }
}

function failed({ id, attempt }: InboundMessage, error: string, retryAt: number | null): Ack {
  return { messageId: id, attempt, status: 'failed', error, retryAtMs: retryAt, trouble: null }
}

function errorText(error: unknown): string {
  return describeError(error).slice(0, PROTOCOL_LIMITS.errorChars)
}

function troubleOf(error: unknown): Ack['trouble'] {
  return error instanceof RetryLater ? error.trouble : null
}

function retryAtMs(error: unknown, nowMs: number): number | null {
  return error instanceof RetryLater ? error.retryAtMs(nowMs) : null
}
