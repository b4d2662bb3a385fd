import { NO_ROWS, type RowPruning } from '../../store.ts'
import type { Database } from '../database.ts'
import { isOver, rulesOf, youngestKeptAtMs } from './row-rules.ts'
import { LOOKED_AT, placesOf, type RowWalk } from './row-walk.ts'

interface Row {
  readonly at: number
  readonly session_id: string
  readonly epoch: number
  readonly ended_at_ms: number | null
}

const COLUMNS = 'rowid AS at, session_id, epoch, ended_at_ms'

/** Runs that are gone, but the newest of each session: it says how far its outbox was taken. */
export const runWalk: RowWalk = {
  name: 'runs',
  classes: ['runs'],
  look(db, pass, after) {
    const youngestMs = youngestKeptAtMs(pass, 'runsMs')
    if (youngestMs === null) return { due: [], upTo: null }
    const rows = db.all<Row>(`SELECT ${COLUMNS} FROM runs WHERE rowid > ? ORDER BY rowid LIMIT ${LOOKED_AT}`, after)
    const upTo = rows.length < LOOKED_AT ? null : (rows.at(-1)?.at ?? null)
    const due = rows.filter((row) => isDue(db, pass, row)).map(({ at }) => ({ at, counts: { runs: 1 } }))
    return { due, upTo }
  },
  remove(tx, pass, due) {
    const still = due.filter(({ at }) => {
      const row = tx.db.get<Row>(`SELECT ${COLUMNS} FROM runs WHERE rowid = ?`, at)
      return row !== undefined && isDue(tx.db, pass, row)
    })
    tx.db.run('DELETE FROM runs WHERE rowid IN (SELECT value FROM json_each(?))', placesOf(still))
    return { ...NO_ROWS, runs: still.length }
  },
}

function isDue(db: Database, pass: RowPruning, { session_id, epoch, ended_at_ms }: Row): boolean {
  if (ended_at_ms === null || !isOver(ended_at_ms, rulesOf(pass, session_id).runsMs, pass.nowMs)) return false
  return db.get('SELECT 1 FROM sessions WHERE id = ? AND epoch > ?', session_id, epoch) !== undefined
}
