import type { InboundStatus, MessageKind, OpenWork, RetryBrief, Trouble } from '@sessiond/protocol'

/** Where a message came from on a chat platform; a reply repeats it. */
export interface MessageAddress {
  readonly platformId: string | null
  readonly channelType: string | null
  readonly threadId: string | null
}

/** A message as the host shows it to this run. */
export interface InboundMessage {
  readonly id: string
  readonly seq: number
  readonly kind: MessageKind
  readonly status: InboundStatus
  readonly createdAtMs: number | null
  /** Null: due at once. Infinity: a time nobody can read, so never due. */
  readonly processAfterMs: number | null
  readonly tries: number
  readonly attempt: number
  /** What came of earlier attempts; null: this is the first, or the host does not say. */
  readonly brief: RetryBrief | null
  readonly isTrigger: boolean
  readonly isOnWake: boolean
  readonly content: string
  readonly seriesId: string | null
  readonly sourceSessionId: string | null
  readonly address: MessageAddress
}

/** One consistent look at the inbound side. Never a guess: what could not be read is no look. */
export interface InboundLook {
  /** Null: the host does not say (no `run` row). */
  readonly epoch: number | null
  readonly takenSeq: number
  /** IANA zone of the session; null: the host does not say. */
  readonly timeZone: string | null
  /** Ascending by seq. */
  readonly messages: readonly InboundMessage[]
}

export interface Claim {
  readonly messageId: string
  readonly attempt: number
}

/** The final word on a claimed message. */
export interface Ack extends Claim {
  readonly status: 'completed' | 'failed'
  readonly error: string | null
  readonly retryAtMs: number | null
  /** With `failed`: the provider was to blame. */
  readonly trouble: Trouble | null
}

/** An acknowledgement found when the mailbox was opened. */
export interface KnownAck extends Claim {
  readonly status: 'processing' | 'completed' | 'failed'
  readonly epoch: number | null
}

export interface OutgoingReply {
  readonly id: string
  readonly inReplyTo: string | null
  /** JSON text within PROTOCOL_LIMITS.contentBytes. */
  readonly content: string
  readonly address: MessageAddress
}

/** What `container_state` shall say. */
export interface ReportedState {
  readonly tool: string | null
  readonly toolDeclaredTimeoutMs: number | null
  readonly toolExpectedMs: number | null
  readonly toolStartedAtMs: number | null
  readonly progressAtMs: number | null
  readonly progressSeq: number
  /** What makes the run's silence legitimate. */
  readonly openWork: OpenWork
}

/** What the host has safely taken and the run need not keep. */
export interface Prune {
  /** Every reply up to this seq. */
  readonly takenSeq: number
  /** Final acknowledgements of messages the host no longer shows. */
  readonly messageIds: readonly string[]
}

export interface OpenedMailbox {
  readonly acks: readonly KnownAck[]
  readonly sessionState: ReadonlyMap<string, string>
}

/**
 * The run's side of its mailbox. The runner is written against this; files are one way to it, a gateway another.
 * Each writing call is one transaction, durable when it resolves and written in the order of the calls. A mailbox
 * that is busy is waited for; MAILBOX_UNWRITABLE means waiting will not help. After `close` every call rejects
 * with MAILBOX_CLOSED and writes nothing.
 */
export interface MailboxClient {
  /** Tells the host that the runner's loop turns; nothing more. Throws MAILBOX_UNWRITABLE with the reason. */
  beat(): Promise<void>
  /** Makes what is missing and proves that it can be written. Comes before every call but `beat`. */
  open(): Promise<OpenedMailbox>
  /**
   * Calls back with the first look that succeeds and after every change; returns how to stop. A mailbox that is
   * missing, empty, busy or unreadable is looked at again soon and never reported as empty.
   */
  follow(onLook: (look: InboundLook) => void): () => void
  /** Claims, and says what is open from now on, all or nothing. */
  claim(claims: readonly Claim[], state: ReportedState): Promise<void>
  /** Writes one reply; seq is odd and higher than every seq used before. */
  reply(reply: OutgoingReply): Promise<void>
  /** Ends claims, with the reply that answers them and the last state, all or nothing. */
  finish(acks: readonly Ack[], reply: OutgoingReply | null, state: ReportedState | null): Promise<void>
  prune(prune: Prune): Promise<void>
  writeState(state: ReportedState): Promise<void>
  setSessionState(key: string, value: string): Promise<void>
  /** Refuses further writes and releases everything. Idempotent. */
  close(): Promise<void>
}
