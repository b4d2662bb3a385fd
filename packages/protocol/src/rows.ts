/**
 * Rows of the two mailbox databases as they stand on disk. Columns marked *ours* are missing in NanoClaw v2's
 * databases; a reader on either side treats a missing column as null.
 */

export type MessageKind = 'chat' | 'task' | 'system'
export type InboundStatus = 'pending' | 'completed' | 'failed'
export type AckStatus = 'processing' | 'completed' | 'failed'

/** A row of `messages_in`, written by the host. */
export interface MessageInRow {
  readonly id: string
  /** Even; order of the session's messages. */
  readonly seq: number
  readonly kind: MessageKind
  readonly timestamp: string
  /** `failed` on a message the run has claimed means: the host gave it up (cancelled), abort the work. */
  readonly status: InboundStatus
  readonly process_after: string | null
  readonly recurrence: string | null
  readonly series_id: string | null
  readonly tries: number
  /** 0: context only, wakes nobody and is handed over with the next message that does. */
  readonly trigger: 0 | 1
  /** 1: handed out only on a run's first look at its mailbox. */
  readonly on_wake: 0 | 1
  /** JSON, `{ "text": … }` for messages of people; `replyTo` may quote what it answers, see ReplyTo. */
  readonly content: string
  readonly platform_id: string | null
  readonly channel_type: string | null
  readonly thread_id: string | null
  readonly source_session_id: string | null
  /** Ours. How often the message has been handed out; an acknowledgement repeats it. */
  readonly attempt: number
  /** Ours. JSON, see RetryBrief: what came of earlier attempts; null: this is the first. */
  readonly brief: string | null
}

/** The one row of `run`, written by the host. */
export interface RunRow {
  readonly epoch: number
  readonly granted_at: string
  /** Every row of `messages_out` up to this `seq` is safe with the host and may be deleted. */
  readonly taken_seq: number
  /** Ours. The protocol version of the host. */
  readonly protocol: number
  /** Ours. IANA zone of the session, in which local times are told; null: the host does not say. */
  readonly time_zone: string | null
}

/** A row of `processing_ack`, written by the run. */
export interface ProcessingAckRow {
  readonly message_id: string
  readonly status: AckStatus
  readonly status_changed: string
  readonly epoch: number | null
  readonly error: string | null
  /** Set with `failed` by an agent that knows when trying again makes sense (a rate limit): spends no try. */
  readonly retry_at: string | null
  /** Ours. `messages_in.attempt` of the claim this speaks of. */
  readonly attempt: number | null
  /**
   * Ours. Set with `failed` when the provider of the model was to blame and no message: `rate-limit` or `outage`. Spends
   * no try; the host holds the sessions of the account back until `retry_at`, or for a time of its own without one.
   */
  readonly trouble: string | null
}

/** A row of `messages_out`, written by the run. */
export interface MessageOutRow {
  readonly id: string
  /** Odd, growing; never reused, also after rows were deleted. */
  readonly seq: number
  /** The message this answers. A message that was answered is complete, whatever became of its acknowledgement. */
  readonly in_reply_to: string | null
  readonly timestamp: string
  readonly deliver_after: string | null
  readonly kind: MessageKind
  /** JSON. Of kind `system` with a text `action`: a request to the host and no reply, answered in `answers`. */
  readonly content: string
  readonly epoch: number | null
  readonly platform_id: string | null
  readonly channel_type: string | null
  readonly thread_id: string | null
}

/** The one row of `container_state`, written by the run. */
export interface ContainerStateRow {
  readonly current_tool: string | null
  readonly tool_declared_timeout_ms: number | null
  readonly tool_expected_ms: number | null
  readonly tool_started_at: string | null
  readonly progress_at: string | null
  readonly progress_seq: number | null
  /**
   * Ours. JSON, see OpenWork: the tools in flight and what is waited for. A run that writes it keeps the clocks apart: it
   * beats by a timer and says what makes its silence legitimate. Null: it does not.
   */
  readonly open_work: string | null
  readonly updated_at: string | null
}

/** A row of `session_state`, written by the run, copied by the host, restored for the next run. */
export interface SessionStateRow {
  readonly key: string
  readonly value: string
  readonly updated_at: string
}

/** A row of `answers`, written by the host: what became of a request, see REQUEST_ACTIONS. Ours. */
export interface AnswerRow {
  /** `messages_out.id` of the request. */
  readonly request_id: string
  /** `refused`: nothing was changed, and `text` says why and what to do about it. */
  readonly status: 'ok' | 'refused'
  /** In words, for the agent; times in the session's zone. */
  readonly text: string
}

/** A row of `delivered`, written by the host: what became of a reply. */
export interface DeliveredRow {
  readonly message_out_id: string
  readonly status: 'delivered' | 'failed'
  readonly platform_message_id: string | null
  readonly delivered_at: string
}
