import { type InboundStatus, type MessageKind, parseRetryBrief, parseTimestamp } from '@sessiond/protocol'
import type { InboundMessage } from '../mailbox-client.ts'

/** A row as it came from the file: columns may be missing, or of another type than agreed. */
export type Row = Readonly<Record<string, unknown>>

/** Reads one row of `messages_in`; a missing column counts as null. Undefined for a row nobody could answer. */
export function parseInboundMessage(row: Row): InboundMessage | undefined {
  const { id, seq, content } = row
  if (typeof id !== 'string' || id === '' || typeof seq !== 'number' || typeof content !== 'string') return undefined
  return {
    id,
    seq,
    content,
    kind: kindOf(row.kind),
    status: statusOf(row.status),
    createdAtMs: parseTimestamp(row.timestamp) ?? null,
    processAfterMs: dueAtMs(row.process_after),
    tries: typeof row.tries === 'number' ? row.tries : 0,
    attempt: typeof row.attempt === 'number' ? row.attempt : 1,
    brief: parseRetryBrief(row.brief),
    isTrigger: row.trigger !== 0,
    isOnWake: row.on_wake === 1,
    seriesId: textOrNull(row.series_id),
    sourceSessionId: textOrNull(row.source_session_id),
    address: {
      platformId: textOrNull(row.platform_id),
      channelType: textOrNull(row.channel_type),
      threadId: textOrNull(row.thread_id),
    },
  }
}

function kindOf(value: unknown): MessageKind {
  return value === 'task' || value === 'system' ? value : 'chat'
}

/** Only `pending` is ever claimed, so a status nobody knows must not read as that. */
function statusOf(value: unknown): InboundStatus {
  return value === 'pending' || value === 'failed' ? value : 'completed'
}

function dueAtMs(value: unknown): number | null {
  if (value === null || value === undefined) return null
  return parseTimestamp(value) ?? Number.POSITIVE_INFINITY
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
