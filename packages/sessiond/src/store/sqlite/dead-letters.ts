import type { JournalType } from '../../model/journal.ts'
import type { DeadLetter, Store } from '../store.ts'
import type { Database, SqlValue } from './database.ts'
import { cut, readAhead } from './page.ts'
import { type DeliveryRow, type MessageRow, type ReplyRow, toDelivery, toMessage, toReply } from './rows.ts'
import type { Tx } from './tx.ts'

/** A dead letter with what its place in the list depends on. */
interface Dead {
  readonly endedAtMs: number | null
  readonly letter: DeadLetter
}

type DeadQuery = Parameters<Store['listDead']>[0]

/** Lists messages and deliveries that wait for someone, the one that died last first. */
export function listDead(db: Database, query: DeadQuery): DeadLetter[] {
  const { maxBytes = Number.POSITIVE_INFINITY } = query
  const dead = [deadMessages(db, query), deadDeliveries(db, query)]
    .flatMap((found) => readAhead(found, maxBytes, contentOf))
    .sort((a, b) => (b.endedAtMs ?? 0) - (a.endedAtMs ?? 0))
  return cut(dead, query, contentOf).map(({ letter }) => letter)
}

function contentOf({ letter }: Dead): { readonly content: string } {
  return letter.kind === 'message' ? letter.message : letter.reply
}

function* deadMessages(db: Database, { sessionId, limit }: DeadQuery): Generator<Dead> {
  const [where, values] = ofSession(sessionId)
  const sql = `SELECT * FROM messages WHERE dead_letter = 1 ${where} ORDER BY ended_at_ms DESC, id LIMIT ?`
  for (const row of db.iterate<MessageRow>(sql, ...values, Math.max(limit, 0))) {
    yield { endedAtMs: row.ended_at_ms, letter: { kind: 'message', message: toMessage(row) } }
  }
}

function* deadDeliveries(db: Database, { sessionId, limit }: DeadQuery): Generator<Dead> {
  const [where, values] = ofSession(sessionId)
  const sql = `SELECT * FROM deliveries WHERE status = 'failed' ${where} ORDER BY ended_at_ms DESC, id LIMIT ?`
  for (const row of db.iterate<DeliveryRow>(sql, ...values, Math.max(limit, 0))) {
    const reply = db.get<ReplyRow>('SELECT * FROM replies WHERE id = ?', row.reply_id)
    if (reply === undefined) continue
    yield { endedAtMs: row.ended_at_ms, letter: { kind: 'delivery', delivery: toDelivery(row), reply: toReply(reply) } }
  }
}

function ofSession(sessionId: string | undefined): [string, SqlValue[]] {
  return sessionId === undefined ? ['', []] : ['AND session_id = ?', [sessionId]]
}

/**
 * Puts a dead message back in line with all its tries; its attempt goes on counting, so old evidence stays old. One that
 * was a suspect stays it: it is tried anew, but not at the cost of those that came after it.
 */
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
