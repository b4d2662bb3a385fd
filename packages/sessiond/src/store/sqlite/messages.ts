import type { Message, MessageStatus } from '../../model/message.ts'
import type { MessageFilter } from '../store.ts'
import type { Database } from './database.ts'
import { type MessageRow, toMessage } from './rows.ts'

export function getMessage(db: Database, messageId: string): Message | null {
  const row = db.get<MessageRow>('SELECT * FROM messages WHERE id = ?', messageId)
  return row === undefined ? null : toMessage(row)
}

/** Those of `messageIds` that exist, in the order asked for. */
export function getMessages(db: Database, messageIds: readonly string[]): Message[] {
  return messageIds.flatMap((id) => getMessage(db, id) ?? [])
}

/**
 * Newest first. Each condition is asked for by itself, literally, because a partial index serves only a query that
 * names its condition: the rare statuses must not cost a walk through history.
 */
export function listMessages(db: Database, filter: MessageFilter): Message[] {
  const { statuses, limit } = filter
  if (statuses === undefined) return select(db, filter, '')
  return [...new Set(statuses)]
    .flatMap((status) => CONDITIONS[status].flatMap((condition) => select(db, filter, condition)))
    .sort((a, b) => b.seq - a.seq)
    .slice(0, Math.max(limit, 0))
}

const CONDITIONS: Readonly<Record<MessageStatus, readonly string[]>> = {
  pending: ["AND status = 'pending' AND trigger = 1", "AND status = 'pending' AND trigger = 0"],
  claimed: ["AND status = 'claimed'"],
  completed: ["AND status = 'completed'"],
  failed: ["AND status = 'failed'"],
}

function select(db: Database, { sessionId, beforeSeq, limit }: MessageFilter, condition: string): Message[] {
  const sql = `SELECT * FROM messages WHERE session_id = ? AND seq < ? ${condition} ORDER BY seq DESC LIMIT ?`
  const rows = db.all<MessageRow>(sql, sessionId, beforeSeq ?? Number.MAX_SAFE_INTEGER, Math.max(limit, 0))
  return rows.map(toMessage)
}
