import type { Message, MessageStatus } from '../../model/message.ts'
import type { MessageFilter } from '../store.ts'
import type { Database } from './database.ts'
import { cut, readAhead } from './page.ts'
import { type MessageRow, toMessage } from './rows.ts'

export function getMessage(db: Database, messageId: string): Message | null {
  const row = db.get<MessageRow>('SELECT * FROM messages WHERE id = ?', messageId)
  return row === undefined ? null : toMessage(row)
}

/** Those of `messageIds` that exist, in the order asked for. */
export function getMessages(db: Database, messageIds: readonly string[]): Message[] {
  return messageIds.flatMap((id) => getMessage(db, id) ?? [])
}

/** The last acknowledgement without attempt that counted, of those messages that have one. */
export function getCountedAcks(db: Database, messageIds: readonly string[]): Map<string, string> {
  const sql = 'SELECT counted_ack FROM messages WHERE id = ? AND counted_ack IS NOT NULL'
  const found = messageIds.map((id) => [id, db.get<{ counted_ack: string }>(sql, id)?.counted_ack] as const)
  return new Map(found.flatMap(([id, ack]) => (ack === undefined ? [] : [[id, ack] as const])))
}

/**
 * Newest first. Each condition is asked for by itself and names the index that holds just what it asks for: the rare
 * statuses must not cost a walk through history. What does not fit into `maxBytes` is not read either.
 */
export function listMessages(db: Database, filter: MessageFilter): Message[] {
  const { statuses } = filter
  const kinds = statuses === undefined ? [EVERY] : [...new Set(statuses)].flatMap((status) => OF_STATUS[status])
  const rows = kinds.flatMap((kind) => select(db, filter, kind)).sort((a, b) => b.seq - a.seq)
  return cut(rows, filter, (row) => row).map(toMessage)
}

const EVERY = 'INDEXED BY messages_seq WHERE'

const OF_STATUS: Readonly<Record<MessageStatus, readonly string[]>> = {
  pending: [
    "INDEXED BY messages_waking WHERE status = 'pending' AND trigger = 1 AND",
    "INDEXED BY messages_context WHERE status = 'pending' AND trigger = 0 AND",
  ],
  claimed: ["INDEXED BY messages_claimed WHERE status = 'claimed' AND"],
  completed: ["INDEXED BY messages_seq WHERE status = 'completed' AND"],
  failed: ["INDEXED BY messages_failed WHERE status = 'failed' AND"],
}

function select(
  db: Database,
  { sessionId, beforeSeq, limit, maxBytes = Number.POSITIVE_INFINITY }: MessageFilter,
  kind: string,
): MessageRow[] {
  const sql = `SELECT * FROM messages ${kind} session_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?`
  const rows = db.iterate<MessageRow>(sql, sessionId, beforeSeq ?? Number.MAX_SAFE_INTEGER, Math.max(limit, 0))
  return readAhead(rows, maxBytes, (row) => row)
}
