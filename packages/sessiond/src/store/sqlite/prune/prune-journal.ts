import { NO_ROWS, type RowPruning } from '../../store.ts'
import type { Database } from '../database.ts'
import { isOver, rulesOf, youngestKeptAtMs } from './row-rules.ts'
import { judgeRows, LOOKED_AT, placesOf, type RowWalk } from './row-walk.ts'
import { AnswerLooks, isReplyHeld } from './undelivered.ts'

interface Row {
  readonly at: number
  readonly at_ms: number
  readonly session_id: string | null
  readonly message_id: string | null
  readonly reply_id: string | null
}

// Replies that answer nothing have no message their lines could be found by.
const COLUMNS = `id AS at, at_ms, session_id, message_id,
  CASE WHEN message_id IS NULL AND type LIKE 'reply:%' THEN detail ->> '$.replyId' END AS reply_id`

/** Ids passed in one step, most of them too young: read off the table's own order, they cost little. */
const PASSED = 5_000

/** Lines, but those of what has not come to its end. */
export const journalWalk: RowWalk = {
  name: 'journal',
  classes: ['journal'],
  look(db, pass, after) {
    const youngestMs = youngestKeptAtMs(pass, 'journalMs')
    if (youngestMs === null) return { due: [], upTo: null }
    const end = after + PASSED
    const sql = `SELECT ${COLUMNS} FROM journal WHERE id > ? AND id <= ? AND at_ms < ? ORDER BY id LIMIT ${LOOKED_AT}`
    const rows = db.all<Row>(sql, after, end, youngestMs)
    const upTo = rows.length < LOOKED_AT ? beforeNext(db, end) : (rows.at(-1)?.at ?? null)
    const looks = new AnswerLooks(db, pass)
    const isHeld = holder(db, pass, looks)
    return judgeRows(
      { rows, upTo },
      (row) => (isDue(pass, row, isHeld) ? { at: row.at, counts: { journal: 1 } } : null),
      () => looks.areUsedUp,
    )
  },
  remove(tx, pass, due) {
    const isHeld = holder(tx.db, pass, new AnswerLooks(tx.db, pass))
    const still = due.filter(({ at }) => {
      const row = tx.db.get<Row>(`SELECT ${COLUMNS} FROM journal WHERE id = ?`, at)
      return row !== undefined && isDue(pass, row, isHeld)
    })
    tx.db.run('DELETE FROM journal WHERE id IN (SELECT value FROM json_each(?))', placesOf(still))
    return { ...NO_ROWS, journal: still.length }
  },
}

/** Where to go on: ids that are gone already are passed over at once. */
function beforeNext(db: Database, end: number): number | null {
  const next = db.get<{ id: number | null }>('SELECT min(id) AS id FROM journal WHERE id > ?', end)?.id
  return next === null || next === undefined ? null : next - 1
}

function isDue(pass: RowPruning, row: Row, isHeld: (row: Row) => boolean): boolean {
  return isOver(row.at_ms, rulesOf(pass, row.session_id).journalMs, pass.nowMs) && !isHeld(row)
}

/** Whether lines must stay, looked up once for all lines of a message. */
function holder(db: Database, pass: RowPruning, looks: AnswerLooks): (row: Row) => boolean {
  const known = new Map<string, boolean>()
  return (row) => {
    const { session_id: sessionId, message_id: messageId, reply_id: replyId } = row
    if (sessionId === null) return false
    if (messageId === null) return replyId !== null && isReplyHeld(db, pass, sessionId, replyId)
    const key = `${sessionId} ${messageId}`
    const held = known.get(key) ?? isMessageHeld(db, pass, looks, { sessionId, messageId })
    known.set(key, held)
    return held
  }
}

function isMessageHeld(
  db: Database,
  pass: RowPruning,
  looks: AnswerLooks,
  { sessionId, messageId }: { readonly sessionId: string; readonly messageId: string },
): boolean {
  const status = db.get<{ status: string }>('SELECT status FROM messages WHERE id = ?', messageId)?.status
  if (status === 'pending' || status === 'claimed') return true
  if (status === 'failed' && isDeadWithinTime(db, pass, messageId)) return true
  return looks.isHeld(sessionId, messageId)
}

function isDeadWithinTime(db: Database, pass: RowPruning, messageId: string): boolean {
  const sql = 'SELECT session_id, ended_at_ms FROM messages WHERE id = ? AND dead_letter = 1'
  const row = db.get<{ session_id: string; ended_at_ms: number }>(sql, messageId)
  return row !== undefined && !isOver(row.ended_at_ms, rulesOf(pass, row.session_id).deadLettersMs, pass.nowMs)
}
