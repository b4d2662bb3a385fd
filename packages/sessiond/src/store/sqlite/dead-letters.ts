import type { JournalType } from '../../model/journal.ts'
import type { DeadLetter, Store } from '../store.ts'
import type { Database, SqlValue } from './database.ts'
import { type DeliveryRow, type MessageRow, type ReplyRow, toDelivery, toMessage, toReply } from './rows.ts'
import type { Tx } from './tx.ts'

/** Lists messages and deliveries that wait for someone, the one that died last first. */
export function listDead(db: Database, query: Parameters<Store['listDead']>[0]): DeadLetter[] {
  const [where, values] = ofSession(query.sessionId)
  const limit = Math.max(query.limit, 0)
  const messages = db.all<MessageRow>(
    `SELECT * FROM messages WHERE dead_letter = 1 ${where} ORDER BY ended_at_ms DESC, id LIMIT ?`,
    ...values,
    limit,
  )
  const deliveries = db.all<DeliveryRow>(
    `SELECT * FROM deliveries WHERE status = 'failed' ${where} ORDER BY ended_at_ms DESC, id LIMIT ?`,
    ...values,
    limit,
  )
  return [
    ...messages.map((row) => ({ endedAtMs: row.ended_at_ms, letter: toDeadMessage(row) })),
    ...deliveries.flatMap((row) => deadDelivery(db, row).map((letter) => ({ endedAtMs: row.ended_at_ms, letter }))),
  ]
    .sort((a, b) => (b.endedAtMs ?? 0) - (a.endedAtMs ?? 0))
    .slice(0, limit)
    .map(({ letter }) => letter)
}

function ofSession(sessionId: string | undefined): [string, SqlValue[]] {
  return sessionId === undefined ? ['', []] : ['AND session_id = ?', [sessionId]]
}

function toDeadMessage(row: MessageRow): DeadLetter {
  return { kind: 'message', message: toMessage(row) }
}

function deadDelivery(db: Database, row: DeliveryRow): DeadLetter[] {
  const reply = db.get<ReplyRow>('SELECT * FROM replies WHERE id = ?', row.reply_id)
  return reply === undefined ? [] : [{ kind: 'delivery', delivery: toDelivery(row), reply: toReply(reply) }]
}

/** Puts a dead message back in line with all its tries; its attempt goes on counting, so old evidence stays old. */
export function replayDeadMessage(
  tx: Tx,
  messageId: string,
  nowMs: number,
): 'replayed' | 'not-dead' | 'not-found' | 'session-closed' {
  const row = tx.db.get<MessageRow>('SELECT * FROM messages WHERE id = ?', messageId)
  if (row === undefined) return 'not-found'
  if (row.dead_letter === 0) return 'not-dead'
  if (tx.db.get("SELECT 1 FROM sessions WHERE id = ? AND status = 'closed'", row.session_id) !== undefined) {
    return 'session-closed'
  }
  tx.db.run(
    `UPDATE messages SET status = 'pending', dead_letter = 0, tries = 0, failure = NULL, ended_at_ms = NULL,
       process_after_ms = ?, at_once = 1, projected_epoch = NULL, claim_epoch = NULL, claimed_at_ms = NULL,
       cancel_requested_at_ms = NULL, answered = 0
     WHERE id = ?`,
    nowMs,
    messageId,
  )
  journalDead(tx, 'message:replayed', row, nowMs)
  return 'replayed'
}

/** Gives a dead message up for good; it stays `failed`. */
export function dropDeadMessage(tx: Tx, messageId: string, nowMs: number): 'dropped' | 'not-dead' | 'not-found' {
  const row = tx.db.get<MessageRow>('SELECT * FROM messages WHERE id = ?', messageId)
  if (row === undefined) return 'not-found'
  if (row.dead_letter === 0) return 'not-dead'
  tx.db.run('UPDATE messages SET dead_letter = 0 WHERE id = ?', messageId)
  journalDead(tx, 'message:dropped', row, nowMs)
  return 'dropped'
}

function journalDead(tx: Tx, type: JournalType, row: MessageRow, atMs: number): void {
  const detail = { failure: row.failure, tries: row.tries }
  tx.journal({ type, atMs, sessionId: row.session_id, epoch: null, messageId: row.id, detail })
}
