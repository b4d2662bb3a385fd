import type { MessageKind } from '@sessiond/protocol'

/** `pending` until a run claims it, `claimed` while one works on it; `completed` and `failed` are final. */
export const MESSAGE_STATUSES = ['pending', 'claimed', 'completed', 'failed'] as const

export type MessageStatus = (typeof MESSAGE_STATUSES)[number]

/** Why a message ended `failed`. Stable: shown to people, kept in the store, compared by code. */
export type MessageFailure =
  /** Every try was spent. */
  | 'TRIES_EXHAUSTED'
  /** A person cancelled the message or stopped its session. */
  | 'CANCELLED'
  /** The session was closed before the message was done. */
  | 'SESSION_CLOSED'

/** Where a message came from on a chat platform; copied to every reply to it. */
export interface Address {
  readonly platformId: string | null
  readonly channelType: string | null
  readonly threadId: string | null
}

/** A message as a sender hands it over, checked and complete. */
export interface NewMessage {
  readonly id: string
  readonly sessionId: string
  readonly group: string
  readonly kind: MessageKind
  /** JSON text, `{ "text": … }` for what people write. */
  readonly content: string
  /** When it becomes due; never before `nowMs` of the send by more than a breath. */
  readonly processAfterMs: number
  /** False: context only, wakes nobody and is handed over with the next message that does. */
  readonly trigger: boolean
  /** True: handed out only on a run's first look at its mailbox. */
  readonly onWake: boolean
  readonly address: Address
  readonly sourceSessionId: string | null
  /** The series it is an occurrence of; null: of none. */
  readonly seriesId: string | null
}

/** A message as the store keeps it. */
export interface Message extends NewMessage {
  /** Even; order within the session. */
  readonly seq: number
  readonly status: MessageStatus
  readonly createdAtMs: number
  /** Tries spent: a run claimed it and the message was to blame. */
  readonly tries: number
  /** How often it was handed to a run; an acknowledgement repeats it, so a stale one is told apart. */
  readonly attempt: number
  /** Epoch of the live run whose mailbox holds it. */
  readonly projectedEpoch: number | null
  readonly claimEpoch: number | null
  readonly claimedAtMs: number | null
  readonly cancelRequestedAtMs: number | null
  readonly endedAtMs: number | null
  readonly failure: MessageFailure | null
  /** What the agent or the supervisor said of the last failure, bounded; kept after a successful retry too. */
  readonly error: string | null
  /** True once a reply to it was taken in. A trigger that completes with false is shown as "no reply". */
  readonly answered: boolean
  /** True while it waits, failed, for someone to replay or drop it. */
  readonly deadLetter: boolean
  /** True: it has died more than once, and until it ends a run is handed it alone, so that it proves its own guilt. */
  readonly isSuspect: boolean
  /** What it has met of its provider's trouble; null: nothing. */
  readonly troubles: MessageTroubles | null
}

/** The provider's trouble as one message has met it. */
export interface MessageTroubles {
  readonly sinceMs: number
  /** `Account.answers` when it met it last: others that were answered since prove that the provider was there. */
  readonly answers: number
  /** How often it met trouble although others had been answered in between. */
  readonly alone: number
}

/** What `send` promises, returned only after the store has committed it. */
export interface SendReceipt {
  readonly messageId: string
  readonly sessionId: string
  readonly seq: number
  readonly processAfterMs: number
  /** True when a message of this id and content had been accepted before: nothing was added. */
  readonly duplicate: boolean
}
