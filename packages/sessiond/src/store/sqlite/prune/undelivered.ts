import type { RowPruning } from '../../store.ts'
import type { Database } from '../database.ts'
import { isOver, rulesOf } from './row-rules.ts'

/** Replies to one message that are looked through; a message with more keeps until its replies have gone. */
const REPLIES_LOOKED_THROUGH = 1_000

interface StandingRow {
  readonly status: string
  readonly ended_at_ms: number | null
}

/** Whether a delivery holds its reply, and what that answers: on its way, or dead and within its time. */
function holds({ status, ended_at_ms }: StandingRow, pass: RowPruning, sessionId: string): boolean {
  if (status === 'pending') return true
  return status === 'failed' && !isOver(ended_at_ms ?? pass.nowMs, rulesOf(pass, sessionId).deadLettersMs, pass.nowMs)
}

/** Whether a reply still has to reach someone. */
export function isReplyHeld(db: Database, pass: RowPruning, sessionId: string, replyId: string): boolean {
  const sql = "SELECT status, ended_at_ms FROM deliveries WHERE reply_id = ? AND status IN ('pending', 'failed')"
  return db.all<StandingRow>(sql, replyId).some((row) => holds(row, pass, sessionId))
}

// By session first: most have nothing under way, however many replies there are to a message.
const IN_SESSION = `
SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_lane WHERE session_id = ?1 AND status = 'pending')
  OR EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_dead_of_session WHERE session_id = ?1 AND status = 'failed')
  AS found`

const REPLIES_TO = `
SELECT id FROM replies INDEXED BY replies_to WHERE in_reply_to = ? AND session_id = ? ORDER BY ordinal LIMIT ?`

/** Whether something that answers a message, in its own session, still has to reach someone. */
export function isAnswerHeld(db: Database, pass: RowPruning, sessionId: string, messageId: string): boolean {
  if (db.get<{ found: number }>(IN_SESSION, sessionId)?.found !== 1) return false
  const replies = db.all<{ id: string }>(REPLIES_TO, messageId, sessionId, REPLIES_LOOKED_THROUGH)
  return replies.length === REPLIES_LOOKED_THROUGH || replies.some(({ id }) => isReplyHeld(db, pass, sessionId, id))
}
