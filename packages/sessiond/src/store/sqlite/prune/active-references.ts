import type { ReferencesRead } from '../../store.ts'
import type { Database } from '../database.ts'
import { lastJournalId } from '../journal.ts'
import { addReferencedIds } from './referenced-ids.ts'

/** Rows read between two pauses: some milliseconds. */
const ROWS_AT_ONCE = 1_000

const OPEN = "SELECT id FROM sessions INDEXED BY sessions_open WHERE status = 'open'"
const CLOSED =
  "SELECT id FROM sessions INDEXED BY sessions_unarchived WHERE status = 'closed' AND archived_at_ms IS NULL"

/** Sessions by which ids are held: open ones, and those with a live run. */
const HOLDS = `s.status = 'open' OR EXISTS (SELECT 1 FROM runs AS r WHERE r.session_id = s.id AND r.state <> 'gone')`

const STATE = `
SELECT st.session_id, st.value FROM session_state AS st CROSS JOIN sessions AS s ON s.id = st.session_id
WHERE ${HOLDS} ORDER BY st.session_id, st.key`

/** What was written since, and a little before: the line was the last one when that reading began. */
const STATE_SINCE = `
SELECT st.session_id, st.value FROM session_state AS st INDEXED BY session_state_written
CROSS JOIN sessions AS s ON s.id = st.session_id WHERE st.written_after >= ? AND (${HOLDS}) ORDER BY st.session_id`

/** Where an index holds something of a session that has work. */
const WORK = [
  "messages INDEXED BY messages_waking WHERE status = 'pending' AND trigger = 1",
  "messages INDEXED BY messages_context WHERE status = 'pending' AND trigger = 0",
  "messages INDEXED BY messages_claimed WHERE status = 'claimed'",
  'messages INDEXED BY messages_dead_of_session WHERE dead_letter = 1',
  "deliveries INDEXED BY deliveries_lane WHERE status = 'pending'",
  "deliveries INDEXED BY deliveries_dead_of_session WHERE status = 'failed'",
]

/** The next session, after one, of which an index holds something: none of them is walked through. */
const NEXT_WORKING = WORK.map((from) => `SELECT session_id FROM ${from} AND session_id > ? ORDER BY session_id LIMIT 1`)

const LIVE = "SELECT session_id, epoch FROM runs INDEXED BY runs_live WHERE state <> 'gone'"

/** What one session comes to. */
const OF_SESSION = `
SELECT id, status, archived_at_ms IS NULL AS is_unarchived,
  ${WORK.map((from) => `EXISTS (SELECT 1 FROM ${from} AND session_id = s.id)`).join('\n  OR ')} AS is_working,
  (SELECT epoch FROM runs INDEXED BY runs_live WHERE session_id = s.id AND state <> 'gone') AS live_epoch
FROM sessions AS s WHERE id = ?`

/**
 * Reads what must stay. `db` is nobody else's meanwhile: one transaction is open on it from the first row to the last,
 * so that all of it is of one state although it pauses. Dead letters count as work: someone may send them out again.
 */
export async function readActiveReferences(db: Database, pause: () => Promise<void>): Promise<ReferencesRead> {
  const openSessions = new Set<string>()
  const closedSessions = new Set<string>()
  const workingSessions = new Set<string>()
  const liveRuns = new Set<string>()
  const breathe = breather(pause)
  db.exec('BEGIN')
  const readTo = lastJournalId(db)
  for (const { id } of db.iterate<{ id: string }>(OPEN)) {
    openSessions.add(id)
    await breathe()
  }
  for (const { id } of db.iterate<{ id: string }>(CLOSED)) {
    closedSessions.add(id)
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
  for (const row of db.iterate<{ session_id: string; epoch: number }>(LIVE)) {
    workingSessions.add(row.session_id)
    liveRuns.add(`${row.session_id}/${row.epoch}`)
    await breathe()
  }
  const hasSessions = db.get('SELECT 1 FROM sessions LIMIT 1') !== undefined
  const ids = new Set<string>()
  await addIds(ids, db.iterate<StateRow>(STATE), breathe)
  db.exec('COMMIT')
  return { active: { ids, openSessions, closedSessions, workingSessions, liveRuns, hasSessions }, readTo }
}

/**
 * The same for these sessions alone, as they are now, with all ids: those read before and those written since. An id that
 * is no longer referenced stays one until all is read anew.
 */
export async function refreshActiveReferences(
  db: Database,
  before: ReferencesRead,
  sessionIds: readonly string[],
  pause: () => Promise<void>,
): Promise<ReferencesRead> {
  const openSessions = new Set<string>()
  const closedSessions = new Set<string>()
  const workingSessions = new Set<string>()
  const liveRuns = new Set<string>()
  const breathe = breather(pause)
  db.exec('BEGIN')
  const readTo = lastJournalId(db)
  for (const sessionId of sessionIds) {
    const row = db.get<SessionRow>(OF_SESSION, sessionId)
    if (row === undefined) continue
    if (row.status === 'open') openSessions.add(sessionId)
    else if (row.is_unarchived === 1) closedSessions.add(sessionId)
    if (row.is_working === 1 || row.live_epoch !== null) workingSessions.add(sessionId)
    if (row.live_epoch !== null) liveRuns.add(`${sessionId}/${row.live_epoch}`)
    await breathe()
  }
  const written = new Set<string>()
  await addIds(written, db.iterate<StateRow>(STATE_SINCE, before.readTo), breathe)
  db.exec('COMMIT')
  const ids = written.size === 0 ? before.active.ids : new Set([...before.active.ids, ...written])
  const { hasSessions } = before.active
  return { active: { ids, openSessions, closedSessions, workingSessions, liveRuns, hasSessions }, readTo }
}

interface SessionRow {
  readonly status: string
  readonly is_unarchived: number
  readonly is_working: number
  readonly live_epoch: number | null
}

interface StateRow {
  readonly session_id: string
  readonly value: string
}

/** Adds what rows mention; those of a session come one after the other, and count together. */
async function addIds(all: Set<string>, rows: Iterable<StateRow>, breathe: () => Promise<void>): Promise<void> {
  let sessionId = ''
  let ofSession = new Set<string>()
  for (const row of rows) {
    if (row.session_id !== sessionId) ofSession = new Set()
    sessionId = row.session_id
    addReferencedIds(ofSession, row.value)
    for (const id of ofSession) all.add(id)
    await breathe()
  }
}

function breather(pause: () => Promise<void>): () => Promise<void> {
  let rows = 0
  return async () => {
    rows += 1
    if (rows % ROWS_AT_ONCE === 0) await pause()
  }
}
