import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import type { TakeOutbox } from '../store.ts'
import type { Database } from './database.ts'
import { lastJournalId } from './journal.ts'
import type { Tx } from './tx.ts'

/** Keeps what an agent wants to find again; beyond the protocol's bound the rows longest untouched go. */
export function saveSessionState(tx: Tx, sessionId: string, rows: TakeOutbox['sessionState'], nowMs: number): void {
  if (rows.length === 0) return
  const writtenAfter = lastJournalId(tx.db)
  for (const { key, value } of rows) {
    tx.db.run(
      `INSERT INTO session_state (session_id, key, value, updated_at_ms, written_after) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (session_id, key) DO UPDATE SET value = excluded.value, updated_at_ms = excluded.updated_at_ms,
         written_after = excluded.written_after`,
      sessionId,
      key,
      value,
      nowMs,
      writtenAfter,
    )
  }
  tx.db.run(
    `DELETE FROM session_state WHERE session_id = ?1 AND key IN (
       SELECT key FROM session_state WHERE session_id = ?1 ORDER BY updated_at_ms DESC, key LIMIT -1 OFFSET ?2)`,
    sessionId,
    PROTOCOL_LIMITS.stateRows,
  )
}

export function getSessionState(db: Database, sessionId: string): Map<string, string> {
  const sql = 'SELECT key, value FROM session_state WHERE session_id = ? ORDER BY key'
  const rows = db.all<{ key: string; value: string }>(sql, sessionId)
  return new Map(rows.map(({ key, value }) => [key, value]))
}
