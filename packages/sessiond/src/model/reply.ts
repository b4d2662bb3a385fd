import type { MessageKind } from '@sessiond/protocol'
import type { Address } from './message.ts'

/** Something a run said (a row of its `messages_out`), or that the host says to the user on its own account. */
export interface Reply {
  /** Unique in the install; order of arrival in the store. */
  readonly id: string
  readonly sessionId: string
  readonly group: string
  /** Null when the host speaks. */
  readonly epoch: number | null
  /** `messages_out.seq`; null when the host speaks. */
  readonly seq: number | null
  readonly inReplyTo: string | null
  readonly kind: MessageKind
  readonly content: string
  readonly createdAtMs: number
  readonly deliverAfterMs: number
  readonly address: Address
}

export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'dropped'

/** One reply on its way to one sink. `delivered` only after the sink confirmed it. */
export interface Delivery {
  readonly id: number
  readonly replyId: string
  readonly sessionId: string
  readonly sink: string
  readonly status: DeliveryStatus
  readonly attempts: number
  readonly nextAttemptAtMs: number
  readonly lastError: string | null
  readonly platformMessageId: string | null
  readonly endedAtMs: number | null
}
