import type { RunState } from '../../model/run.ts'
import type { Session, SessionSummary } from '../../model/session.ts'
import type { Store } from '../store.ts'
import { endPending } from './cancel.ts'
import type { Database, SqlValue } from './database.ts'
import { type SessionRow, toSession } from './rows.ts'
import { endSeriesOf } from './series/change-series.ts'
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

/** Messages of a closed session ended in one transaction: some 10 ms in which nothing else happens. */
export const ENDED_AT_ONCE = 500

/**
 * Closes a session and ends the first of what waits in it; `endClosed` goes on. What its run holds ends with the run.
 */
export function closeSession(tx: Tx, sessionId: string, nowMs: number): 'closed' | 'already-closed' | 'not-found' {
  const session = getSession(tx.db, sessionId)
  if (session === null) return 'not-found'
  if (session.status === 'closed') return 'already-closed'
  const sql = "UPDATE sessions SET status = 'closed', closed_at_ms = ?, is_ending = 1 WHERE id = ?"
  tx.db.run(sql, nowMs, sessionId)
  tx.journal({ type: 'session:closed', atMs: nowMs, sessionId, epoch: null, messageId: null, detail: {} })
  // First: what ends here must not arm its series anew.
  endSeriesOf(tx, sessionId, nowMs)
  endSome(tx, sessionId, nowMs)
  return 'closed'
}

/** Ends the next of what still waits in a closed session. */
export function endClosed(tx: Tx, nowMs: number): void {
  const sessionId = findEnding(tx.db)
  if (sessionId !== undefined) endSome(tx, sessionId, nowMs)
}

/** A closed session in which something still waits. */
export function findEnding(db: Database): string | undefined {
  const sql = 'SELECT id FROM sessions INDEXED BY sessions_ending WHERE is_ending = 1 ORDER BY id LIMIT 1'
  return db.get<{ id: string }>(sql)?.id
}

function endSome(tx: Tx, sessionId: string, nowMs: number): void {
  const waking = tx.db.all<{ id: string }>(PENDING_WAKING, sessionId, ENDED_AT_ONCE)
  const context = tx.db.all<{ id: string }>(PENDING_CONTEXT, sessionId, ENDED_AT_ONCE - waking.length)
  for (const { id } of [...waking, ...context]) endPending(tx, id, 'SESSION_CLOSED', 'session-closed', nowMs)
  if (waking.length + context.length < ENDED_AT_ONCE) {
    tx.db.run('UPDATE sessions SET is_ending = 0 WHERE id = ?', sessionId)
  }
}

// One for each of the indexes on what is pending, in its order: sorting by another would read all of it every time.
const PENDING_WAKING = `
SELECT id FROM messages INDEXED BY messages_waking WHERE session_id = ? AND status = 'pending' AND trigger = 1
ORDER BY process_after_ms, seq LIMIT ?`
const PENDING_CONTEXT = `
SELECT id FROM messages INDEXED BY messages_context WHERE session_id = ? AND status = 'pending' AND trigger = 0
ORDER BY process_after_ms, seq LIMIT ?`
