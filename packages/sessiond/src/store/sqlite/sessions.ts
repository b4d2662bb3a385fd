import type { RunState } from '../../model/run.ts'
import type { Session, SessionSummary } from '../../model/session.ts'
import type { Store } from '../store.ts'
import { endPending } from './cancel.ts'
import type { Database, SqlValue } from './database.ts'
import { type SessionRow, toSession } from './rows.ts'
import type { Tx } from './tx.ts'

export function getSession(db: Database, sessionId: string): Session | null {
  const row = db.get<SessionRow>('SELECT * FROM sessions WHERE id = ?', sessionId)
  return row === undefined ? null : toSession(row)
}

interface SummaryRow extends SessionRow {
  readonly run_state: string | null
  readonly pending: number
  readonly claimed: number
  readonly dead: number
  readonly next_due_ms: number | null
}

// Each figure is read off its own partial index, so that a page costs what is open in it and not its history.
const SUMMARY = `
SELECT s.*,
  (SELECT state FROM runs WHERE session_id = s.id AND state <> 'gone') AS run_state,
  (SELECT count(*) FROM messages INDEXED BY messages_waking
    WHERE session_id = s.id AND status = 'pending' AND trigger = 1) +
  (SELECT count(*) FROM messages INDEXED BY messages_context
    WHERE session_id = s.id AND status = 'pending' AND trigger = 0) AS pending,
  (SELECT count(*) FROM messages WHERE session_id = s.id AND status = 'claimed') AS claimed,
  (SELECT count(*) FROM messages INDEXED BY messages_dead_of_session WHERE session_id = s.id AND dead_letter = 1) AS dead,
  (SELECT min(process_after_ms) FROM messages INDEXED BY messages_waking
    WHERE session_id = s.id AND status = 'pending' AND trigger = 1) AS next_due_ms
FROM sessions AS s`

export function getSessionSummary(db: Database, sessionId: string): SessionSummary | null {
  const row = db.get<SummaryRow>(`${SUMMARY} WHERE s.id = ?`, sessionId)
  return row === undefined ? null : toSummary(row)
}

/** One page of sessions in order of id, after `after`. */
export function listSessions(db: Database, query: Parameters<Store['listSessions']>[0]): SessionSummary[] {
  const where = ['s.id > ?']
  const values: SqlValue[] = [query.after ?? '']
  if (query.group !== undefined) {
    // Ids begin with their group and a slash; `0` is the character after the slash.
    where.push('s.id > ?', 's.id < ?')
    values.push(`${query.group}/`, `${query.group}0`)
  }
  const sql = `${SUMMARY} WHERE ${where.join(' AND ')} ORDER BY s.id LIMIT ?`
  return db.all<SummaryRow>(sql, ...values, query.limit).map(toSummary)
}

function toSummary(row: SummaryRow): SessionSummary {
  return {
    ...toSession(row),
    runState: row.run_state as RunState | null,
    pending: row.pending,
    claimed: row.claimed,
    deadLetters: row.dead,
    nextDueAtMs: row.next_due_ms,
  }
}

/** Closes a session and ends what waits in it; what its run holds ends with the run. */
export function closeSession(tx: Tx, sessionId: string, nowMs: number): 'closed' | 'already-closed' | 'not-found' {
  const session = getSession(tx.db, sessionId)
  if (session === null) return 'not-found'
  if (session.status === 'closed') return 'already-closed'
  tx.db.run("UPDATE sessions SET status = 'closed', closed_at_ms = ? WHERE id = ?", nowMs, sessionId)
  tx.journal({ type: 'session:closed', atMs: nowMs, sessionId, epoch: null, messageId: null, detail: {} })
  const pending = tx.db.all<{ id: string }>(PENDING_IDS, sessionId)
  for (const { id } of pending) endPending(tx, id, 'SESSION_CLOSED', 'session-closed', nowMs)
  return 'closed'
}

// Two halves, one for each of the indexes on what is pending.
const PENDING_IDS = `
SELECT id FROM (
  SELECT id, seq FROM messages WHERE session_id = ?1 AND status = 'pending' AND trigger = 1
  UNION ALL SELECT id, seq FROM messages WHERE session_id = ?1 AND status = 'pending' AND trigger = 0)
ORDER BY seq`
