import type { ActiveReferences } from '../../../model/artifact.ts'
import type { Database } from '../database.ts'
import { addReferencedIds } from './referenced-ids.ts'

/** Rows read between two pauses: some milliseconds. */
const ROWS_AT_ONCE = 1_000

const STATE = `
SELECT st.session_id, st.value FROM session_state AS st CROSS JOIN sessions AS s ON s.id = st.session_id
WHERE s.status = 'open' OR EXISTS (SELECT 1 FROM runs AS r WHERE r.session_id = s.id AND r.state <> 'gone')
ORDER BY st.session_id, st.key`

/** The next session, after one, of which an index holds something: none of them is walked through. */
const NEXT_WORKING = [
  "messages INDEXED BY messages_waking WHERE status = 'pending' AND trigger = 1",
  "messages INDEXED BY messages_context WHERE status = 'pending' AND trigger = 0",
  "messages INDEXED BY messages_claimed WHERE status = 'claimed'",
  'messages INDEXED BY messages_dead_of_session WHERE dead_letter = 1',
  "deliveries INDEXED BY deliveries_lane WHERE status = 'pending'",
  "deliveries INDEXED BY deliveries_dead_of_session WHERE status = 'failed'",
].map((from) => `SELECT session_id FROM ${from} AND session_id > ? ORDER BY session_id LIMIT 1`)

/**
 * Reads what must stay. `db` is nobody else's meanwhile: one transaction is open on it from the first row to the last,
 * so that all of it is of one state although it pauses. Dead letters count as work: someone may send them out again.
 */
export async function readActiveReferences(db: Database, pause: () => Promise<void>): Promise<ActiveReferences> {
  const openSessions = new Set<string>()
  const workingSessions = new Set<string>()
  const liveRuns = new Set<string>()
  let rows = 0
  const breathe = async () => {
    rows += 1
    if (rows % ROWS_AT_ONCE === 0) await pause()
  }
  db.exec('BEGIN')
  let known = 0
  for (const row of db.iterate<{ id: string; status: string }>('SELECT id, status FROM sessions')) {
    known += 1
    if (row.status === 'open') openSessions.add(row.id)
    await breathe()
  }
  for (const sql of NEXT_WORKING) {
    for (let after = ''; ; ) {
      const next = db.get<{ session_id: string }>(sql, after)?.session_id
      if (next === undefined) break
      workingSessions.add(next)
      after = next
      await breathe()
    }
  }
  const live = "SELECT session_id, epoch FROM runs INDEXED BY runs_live WHERE state <> 'gone'"
  for (const row of db.iterate<{ session_id: string; epoch: number }>(live)) {
    workingSessions.add(row.session_id)
    liveRuns.add(`${row.session_id}/${row.epoch}`)
    await breathe()
  }
  const ids = await readIds(db, breathe)
  db.exec('COMMIT')
  return { ids, openSessions, workingSessions, liveRuns, known }
}

async function readIds(db: Database, breathe: () => Promise<void>): Promise<ReadonlySet<string>> {
  const all = new Set<string>()
  let sessionId = ''
  let ofSession = new Set<string>()
  for (const row of db.iterate<{ session_id: string; value: string }>(STATE)) {
    if (row.session_id !== sessionId) ofSession = new Set()
    sessionId = row.session_id
    addReferencedIds(ofSession, row.value)
    await breathe()
    for (const id of ofSession) all.add(id)
  }
  return all
}
