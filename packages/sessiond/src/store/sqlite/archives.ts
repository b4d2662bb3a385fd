import type { JournalEntry } from '../../model/journal.ts'
import type { Store, UnarchivedSession } from '../store.ts'
import type { Database } from './database.ts'
import type { Tx } from './tx.ts'

const UNARCHIVED = `
SELECT id, group_name, closed_at_ms, archive_not_before_ms FROM sessions INDEXED BY sessions_unarchived
WHERE status = 'closed' AND archived_at_ms IS NULL AND closed_at_ms <= ?1 AND (closed_at_ms, id) > (?2, ?3)
  AND (?4 IS NULL OR group_name = ?4)
ORDER BY closed_at_ms, id LIMIT ?5`

interface UnarchivedRow {
  readonly id: string
  readonly group_name: string
  readonly closed_at_ms: number
  readonly archive_not_before_ms: number
}

export function listUnarchived(db: Database, query: Parameters<Store['listUnarchived']>[0]): UnarchivedSession[] {
  const { closedBeforeMs, group, after, limit } = query
  const from = after ?? { closedAtMs: Number.MIN_SAFE_INTEGER, sessionId: '' }
  const rows = db.all<UnarchivedRow>(UNARCHIVED, closedBeforeMs, from.closedAtMs, from.sessionId, group, limit)
  return rows.map((row) => ({
    sessionId: row.id,
    group: row.group_name,
    closedAtMs: row.closed_at_ms,
    notBeforeMs: row.archive_not_before_ms,
  }))
}

// A reply whose sink refused it for good is undelivered as long as a person may try it again.
const SETTLED = `
SELECT 1 FROM sessions AS s WHERE s.id = ? AND s.status = 'closed' AND s.archived_at_ms IS NULL
  AND NOT EXISTS (SELECT 1 FROM runs WHERE session_id = s.id AND state <> 'gone')
  AND NOT EXISTS (SELECT 1 FROM messages INDEXED BY messages_waking
    WHERE session_id = s.id AND status = 'pending' AND trigger = 1)
  AND NOT EXISTS (SELECT 1 FROM messages INDEXED BY messages_context
    WHERE session_id = s.id AND status = 'pending' AND trigger = 0)
  AND NOT EXISTS (SELECT 1 FROM messages INDEXED BY messages_claimed WHERE session_id = s.id AND status = 'claimed')
  AND NOT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_lane WHERE session_id = s.id AND status = 'pending')
  AND NOT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_dead_of_session
    WHERE session_id = s.id AND status = 'failed')`

export function isSettled(db: Database, sessionId: string): boolean {
  return db.get(SETTLED, sessionId) !== undefined
}

export function recordArchived(tx: Tx, sessionId: string, detail: JournalEntry['detail'], nowMs: number): boolean {
  if (!isSettled(tx.db, sessionId)) return false
  tx.db.run('UPDATE sessions SET archived_at_ms = ?, archive_put_off = NULL WHERE id = ?', nowMs, sessionId)
  tx.journal({ type: 'session:archived', atMs: nowMs, sessionId, epoch: null, messageId: null, detail })
  return true
}

export function putOffArchive(
  tx: Tx,
  sessionId: string,
  { because, notBeforeMs, detail }: Parameters<Store['putOffArchive']>[1],
  nowMs: number,
): void {
  const isNew = "SELECT 1 FROM sessions WHERE id = ? AND archived_at_ms IS NULL AND coalesce(archive_put_off, '') <> ?"
  if (tx.db.get(isNew, sessionId, because) !== undefined) {
    const line = { sessionId, epoch: null, messageId: null, detail: { because, ...detail } }
    tx.journal({ type: 'session:archivePutOff', atMs: nowMs, ...line })
  }
  const sql = `UPDATE sessions SET archive_put_off = ?, archive_not_before_ms = ?
    WHERE id = ? AND archived_at_ms IS NULL`
  tx.db.run(sql, because, notBeforeMs, sessionId)
}
