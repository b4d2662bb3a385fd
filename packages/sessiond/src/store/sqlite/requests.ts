import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import { runLine } from '../../model/journal.ts'
import type { AgentRequest, RequestAnswer } from '../../model/request.ts'
import type { NewRequest, RunKey } from '../store.ts'
import type { Database } from './database.ts'
import type { Tx } from './tx.ts'

interface RequestRow {
  readonly ordinal: number
  readonly id: string
  readonly session_id: string
  readonly epoch: number
  readonly content: string
  readonly created_at_ms: number
}

const MINUTE_MS = 60_000
/** Answered requests kept of a session. More than a minute's worth, so that what is counted is still there. */
const KEPT = 100

const TOO_MANY: RequestAnswer = {
  status: 'refused',
  text: `This session has asked more than ${PROTOCOL_LIMITS.requestsPerMinute} things within a minute. Wait a minute, then ask again.`,
}

/**
 * Adds what a run asks, once: its place (session, epoch, seq) says which it is. One beyond what a session may ask within a
 * minute is answered at once.
 */
export function addRequests(tx: Tx, run: RunKey, requests: readonly NewRequest[], nowMs: number): void {
  let refused = 0
  for (const request of requests) {
    if (isKnown(tx.db, run, request)) continue
    const isTooMany = countSince(tx.db, run.sessionId, nowMs - MINUTE_MS) >= PROTOCOL_LIMITS.requestsPerMinute
    const answer = isTooMany ? TOO_MANY : null
    tx.db.run(
      `INSERT INTO requests (id, session_id, epoch, seq, content, created_at_ms, status, answer)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      request.id,
      run.sessionId,
      run.epoch,
      request.seq,
      isTooMany ? '{}' : request.content,
      nowMs,
      answer?.status ?? null,
      answer?.text ?? null,
    )
    if (isTooMany) refused += 1
    else tx.journal(runLine('request:received', nowMs, run, { requestId: request.id }))
  }
  if (refused > 0) {
    tx.journal(runLine('evidence:ignored', nowMs, run, { what: 'requests', because: 'too-many', count: refused }))
    forgetOld(tx.db, run.sessionId)
  }
}

function isKnown(db: Database, run: RunKey, { seq, id }: NewRequest): boolean {
  const sql = 'SELECT 1 FROM requests WHERE session_id = ? AND epoch = ? AND (seq = ? OR id = ?)'
  return db.get(sql, run.sessionId, run.epoch, seq, id) !== undefined
}

/** A clock set back must not make every request of before count: none is from the future. */
function countSince(db: Database, sessionId: string, sinceMs: number): number {
  const sql = `SELECT count(*) AS count FROM requests INDEXED BY requests_of_session
    WHERE session_id = ? AND created_at_ms BETWEEN ? AND ?`
  return db.get<{ count: number }>(sql, sessionId, sinceMs, sinceMs + MINUTE_MS)?.count ?? 0
}

/** Says what became of a request, unless that was said. */
export function recordAnswer(tx: Tx, ordinal: number, answer: RequestAnswer, nowMs: number): boolean {
  const sql = 'SELECT * FROM requests WHERE ordinal = ? AND status IS NULL'
  const row = tx.db.get<RequestRow>(sql, ordinal)
  if (row === undefined) return false
  const text = answer.text.slice(0, PROTOCOL_LIMITS.answerChars)
  tx.db.run('UPDATE requests SET status = ?, answer = ? WHERE ordinal = ?', answer.status, text, ordinal)
  const run = { sessionId: row.session_id, epoch: row.epoch }
  tx.journal(runLine('request:answered', nowMs, run, { requestId: row.id, status: answer.status }))
  forgetOld(tx.db, row.session_id)
  return true
}

function forgetOld(db: Database, sessionId: string): void {
  db.run(
    `DELETE FROM requests WHERE session_id = ?1 AND status IS NOT NULL AND ordinal <= (
       SELECT ordinal FROM requests WHERE session_id = ?1 AND status IS NOT NULL ORDER BY ordinal DESC LIMIT 1 OFFSET ${KEPT})`,
    sessionId,
  )
}

/** The oldest requests without an answer. */
export function listOpenRequests(db: Database, limit: number): AgentRequest[] {
  const sql = 'SELECT * FROM requests INDEXED BY requests_open WHERE status IS NULL ORDER BY ordinal LIMIT ?'
  return db.all<RequestRow>(sql, limit).map((row) => ({
    ordinal: row.ordinal,
    id: row.id,
    sessionId: row.session_id,
    epoch: row.epoch,
    content: row.content,
    createdAtMs: row.created_at_ms,
  }))
}

/** The newest answers to what one run asked, oldest first. */
export function listAnswers(db: Database, run: RunKey, limit: number): ({ requestId: string } & RequestAnswer)[] {
  const sql = `SELECT id, status, answer FROM requests
    WHERE session_id = ? AND epoch = ? AND status IS NOT NULL ORDER BY ordinal DESC LIMIT ?`
  const rows = db.all<{ id: string; status: RequestAnswer['status']; answer: string }>(
    sql,
    run.sessionId,
    run.epoch,
    limit,
  )
  return rows.reverse().map(({ id, status, answer }) => ({ requestId: id, status, text: answer }))
}
