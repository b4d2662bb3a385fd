import { type MessageKind, parseReplyTo, type ReplyTo, type RetryBrief } from '@sessiond/protocol'
import type { InboundMessage, MessageAddress } from './mailbox-client.ts'

/** A message as a handler gets it. */
export interface AgentMessage {
  readonly id: string
  readonly seq: number
  readonly kind: MessageKind
  /** What was written. For content without a `text` of its own, the whole content as it came. */
  readonly text: string
  /** The content parsed as JSON; a string when it is none. */
  readonly content: unknown
  /** True: said for information, asks for nothing by itself. */
  readonly isContext: boolean
  /** How often the message has been handed out, this time included. */
  readonly attempt: number
  /**
   * What came of earlier attempts, for an agent that must not repeat what it did (`tellRetryBrief` of
   * `@sessiond/protocol` makes sentences of it); null: this is the first.
   */
  readonly brief: RetryBrief | null
  /** Tries spent on it so far. */
  readonly tries: number
  /** When the host accepted it, by the host's clock; null: the host does not say. */
  readonly createdAtMs: number | null
  /** The message it answers, where it says so. */
  readonly replyTo: ReplyTo | null
  /** The recurring task it is an occurrence of. */
  readonly seriesId: string | null
  readonly sourceSessionId: string | null
  readonly address: MessageAddress
}

/** Turns a mailbox row into what a handler reads. */
export function agentMessageOf(message: InboundMessage): AgentMessage {
  const content = parseContent(message.content)
  const { id, seq, kind, attempt, brief, tries, createdAtMs, seriesId, sourceSessionId, address } = message
  const text = textOf(content) ?? message.content
  const isContext = !message.isTrigger
  return {
    id,
    seq,
    kind,
    text,
    content,
    isContext,
    attempt,
    brief,
    tries,
    createdAtMs,
    replyTo: parseReplyTo(content),
    seriesId,
    sourceSessionId,
    address,
  }
}

function parseContent(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    // Other hosts write plain text; it is then its own content.
    return content
  }
}

function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content
  if (typeof content !== 'object' || content === null || !('text' in content)) return undefined
  return typeof content.text === 'string' ? content.text : undefined
}
