import { NO_ROWS, type RowPruning } from '../../store.ts'
import type { Database } from '../database.ts'
import { isOver, rulesOf, youngestKeptAtMs } from './row-rules.ts'
import { LOOKED_AT, type RowWalk } from './row-walk.ts'

interface Row {
  readonly at: number
  readonly id: string
  readonly archived_at_ms: number | null
}

const COLUMNS = 'rowid AS at, id, archived_at_ms'

/** Whether anything of a session is left that is not its own. */
const LEFT = `
SELECT EXISTS (SELECT 1 FROM messages INDEXED BY messages_seq WHERE session_id = ?1)
  OR EXISTS (SELECT 1 FROM replies INDEXED BY replies_of_session WHERE session_id = ?1)
  OR EXISTS (SELECT 1 FROM series INDEXED BY series_of_session WHERE session_id = ?1)
  OR EXISTS (SELECT 1 FROM runs WHERE session_id = ?1 AND state <> 'gone')
  OR EXISTS (SELECT 1 FROM requests INDEXED BY requests_of_session WHERE session_id = ?1 AND status IS NULL) AS found`

/** Closed sessions whose directory was archived: their name is free again, for a session that knows nothing of them. */
export const sessionWalk: RowWalk = {
  name: 'sessions',
  classes: ['sessions'],
  look(db, pass, after) {
    const youngestMs = youngestKeptAtMs(pass, 'sessionsMs')
    if (youngestMs === null) return { due: [], upTo: null }
    const sql = `SELECT ${COLUMNS} FROM sessions WHERE rowid > ? ORDER BY rowid LIMIT ${LOOKED_AT}`
    const rows = db.all<Row>(sql, after)
    const upTo = rows.length < LOOKED_AT ? null : (rows.at(-1)?.at ?? null)
    return { due: rows.filter((row) => isDue(db, pass, row)).map(({ at }) => ({ at, counts: { sessions: 1 } })), upTo }
  },
  remove(tx, pass, due) {
    let sessions = 0
    for (const { at } of due) {
      const row = tx.db.get<Row>(`SELECT ${COLUMNS} FROM sessions WHERE rowid = ?`, at)
      if (row === undefined || !isDue(tx.db, pass, row)) continue
      for (const table of ['session_state', 'requests', 'runs']) {
        tx.db.run(`DELETE FROM ${table} WHERE session_id = ?`, row.id)
      }
      tx.db.run('DELETE FROM sessions WHERE id = ?', row.id)
      sessions += 1
    }
    return { ...NO_ROWS, sessions }
  },
}

function isDue(db: Database, pass: RowPruning, { id, archived_at_ms: archivedAtMs }: Row): boolean {
  if (archivedAtMs === null || !isOver(archivedAtMs, rulesOf(pass, id).sessionsMs, pass.nowMs)) return false
  return db.get<{ found: number }>(LEFT, id)?.found === 0
}
