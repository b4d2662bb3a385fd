import type { AckStatus, MessageKind, OpenWork, RetryBrief, Trouble } from '@sessiond/protocol'
import type { Address, Message } from '../model/message.ts'
import type { RequestAnswer } from '../model/request.ts'

/** Where one session's mailbox, workspace and logs lie; absolute host paths. */
export interface SessionPaths {
  readonly root: string
  readonly in: string
  readonly out: string
  readonly work: string
  readonly runs: string
}

/** A message as a run shall see it. */
export interface ProjectedMessage {
  readonly message: Message
  /** False: the host gave it up while the run holds it; the run must abort that work. */
  readonly isWanted: boolean
  /** True: the run shall not claim it as long as it is shown so; work it has begun goes on. */
  readonly isHeldBack: boolean
  /** Null: this is its first attempt. */
  readonly brief: RetryBrief | null
}

/** The whole content of `inbound.db` for one run: `sync` makes the file equal to it. */
export interface Projection {
  readonly sessionId: string
  readonly epoch: number
  readonly grantedAtMs: number
  /** Rows of `messages_out` up to here are safe in the store. */
  readonly takenSeq: number
  /** IANA zone of the session; null: nobody knows, its group has left the configuration. */
  readonly timeZone: string | null
  /** Bounded by config.mailbox.windowMessages and windowBytes. */
  readonly messages: readonly ProjectedMessage[]
  /** What the run's requests came to; bounded by PROTOCOL_LIMITS.answers. */
  readonly answers: readonly ({ readonly requestId: string } & RequestAnswer)[]
}

/** An acknowledgement as read and checked: ids, sizes and times are valid, its truth is not. */
export interface SeenAck {
  readonly messageId: string
  readonly status: AckStatus
  /** The run's own stamp, as written: told apart from another one, never read as a time. */
  readonly statusChanged: string | null
  readonly epoch: number | null
  readonly attempt: number | null
  readonly error: string | null
  readonly retryAtMs: number | null
  /** What it says kept it from its model. */
  readonly trouble: Trouble | null
}

export interface SeenReply {
  readonly id: string
  readonly seq: number
  readonly epoch: number | null
  readonly inReplyTo: string | null
  readonly kind: MessageKind
  /** Valid JSON text within bounds. */
  readonly content: string
  readonly deliverAfterMs: number | null
  readonly address: Address
}

/** `container_state` as the run tells it: figures clamped, nothing believed. */
export interface SeenState {
  readonly tool: string | null
  readonly toolDeclaredTimeoutMs: number | null
  readonly toolExpectedMs: number | null
  readonly toolStartedAtMs: number | null
  readonly progressSeq: number | null
  /** Null: the run does not keep the clocks apart. */
  readonly openWork: OpenWork | null
}

/** One bounded look at what a run wrote. */
export interface OutboxBatch {
  readonly acks: readonly SeenAck[]
  readonly replies: readonly SeenReply[]
  readonly state: SeenState | null
  /** Changed or new rows of `session_state`. */
  readonly sessionState: readonly { readonly key: string; readonly value: string }[]
  /** Rows refused (over a bound, malformed), for the journal: at most 20. Rows without a cursor are so at every look. */
  readonly refused: readonly { readonly what: string; readonly because: string }[]
  /** Highest seq of the batch, refused rows included; `afterSeq` of the next look. */
  readonly lastSeq: number
  readonly hasMore: boolean
}

/**
 * The mailbox port. A mailbox is a projection of the store: losing one loses only what its run had not yet said.
 * No call waits for a file on the host's event loop, and every call is bounded in time: MAILBOX_TIMEOUT,
 * MAILBOX_BUSY (a live writer; try again), MAILBOX_TORN (unreadable; rebuild), MAILBOX_UNSAFE (a file is not
 * what it must be). A new adapter starts by passing testkit's exerciseMailbox.
 */
export interface Mailbox {
  pathsOf(sessionId: string): SessionPaths
  /**
   * Makes a fresh mailbox for a run about to start: both databases new, `session_state` restored, workspace
   * kept. Only when no run of the session is alive and `takeFinal` has taken what the last one left.
   */
  prepare(
    projection: Projection,
    sessionState: ReadonlyMap<string, string>,
    user: { readonly uid: number; readonly gid: number } | null,
  ): Promise<void>
  /** Makes a live run's `inbound.db` equal to `projection`; idempotent; rebuilds the file when lost or torn. */
  sync(projection: Projection): Promise<void>
  /** Reads what a live run wrote after `afterSeq`, bounded in rows, bytes and time. */
  take(sessionId: string, afterSeq: number): Promise<OutboxBatch>
  /**
   * Like `take`, for a run whose exit is confirmed: rolls a hot journal back first. When the file stays
   * unreadable (MAILBOX_TORN, MAILBOX_UNSAFE), `setAside` moves it out of the way, journal included.
   */
  takeFinal(sessionId: string, afterSeq: number): Promise<OutboxBatch>
  /** Moves an unreadable `outbound.db` with its journal to `runs/`, host-only; returns where to, or null if none. */
  setAside(sessionId: string, epoch: number): Promise<string | null>
  /** Modification time of `.heartbeat`, to notice that it moved; null: absent or not a plain file. */
  heartbeatMtimeMs(sessionId: string): Promise<number | null>
  /**
   * Names the outbox as a stat sees it, for the price of one: another name, and it may have been written to since. Null:
   * there is none, or it cannot be told.
   */
  outboxStamp(sessionId: string): Promise<string | null>
  /** Calls back soon after the run may have written something: by file notification, else by stat. Coalesced. */
  watch(sessionId: string, onChange: () => void): () => void
  /** Ends watches and reader processes. */
  close(): Promise<void>
}
