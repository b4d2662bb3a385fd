import type { Store } from '../../store.ts'
import type { Database } from '../database.ts'
import type { Tx } from '../tx.ts'
import { rezone } from './change-series.ts'
import { getSeries, type SeriesRow, toSeries } from './series-rows.ts'
import { park, stepSeries } from './step-series.ts'

/** Series looked at in one transaction: some 20 ms in which nothing else is written. */
export const STEPPED_AT_ONCE = 100

/** Fires start this far apart, where many are late at once: a host that was down a week must not start them all together. */
const LATE_STEP_MS = 250

type Stepped = Awaited<ReturnType<Store['stepDueSeries']>>

/** Looks at the series that have been due longest. */
export function stepDueSeries(tx: Tx, { nowMs, lateBefore, sinksOf }: Parameters<Store['stepDueSeries']>[0]): Stepped {
  const rows = tx.db.all<SeriesRow>(
    `SELECT * FROM series INDEXED BY series_due WHERE state = 'active' AND next_at_ms <= ?
     ORDER BY next_at_ms, id LIMIT ?`,
    nowMs,
    STEPPED_AT_ONCE,
  )
  const fired: string[] = []
  const interrupted: string[] = []
  for (const row of rows) {
    const series = toSeries(row)
    const context = { nowMs, sinks: sinksOf(series.group), lateByMs: (lateBefore + fired.length) * LATE_STEP_MS }
    // One that cannot be looked at must not keep the others from being looked at (E10).
    const outcome = tx.guard(() => stepSeries(tx, series, context))
    if (outcome instanceof Error) park(tx, series, `looking at it failed: ${outcome.message}`, context)
    else if (outcome === 'fired') fired.push(series.sessionId)
    else if (outcome === 'interrupted') interrupted.push(series.sessionId)
  }
  return { fired, interrupted, isMore: rows.length === STEPPED_AT_ONCE || isSeriesDue(tx.db, nowMs) }
}

export function isSeriesDue(db: Database, nowMs: number): boolean {
  const sql = "SELECT 1 FROM series INDEXED BY series_due WHERE state = 'active' AND next_at_ms <= ? LIMIT 1"
  return db.get(sql, nowMs) !== undefined
}

/** When the next series is due; null: none. */
export function nextSeriesAtMs(db: Database): number | null {
  const sql = `SELECT next_at_ms FROM series INDEXED BY series_due WHERE state = 'active' AND next_at_ms IS NOT NULL
     ORDER BY next_at_ms LIMIT 1`
  return db.get<{ next_at_ms: number }>(sql)?.next_at_ms ?? null
}

/** Series of a session, or of all, in order of id. */
export function listSeries(db: Database, query: Parameters<Store['listSeries']>[0]) {
  const { sessionId, after = '', limit, states } = query
  const marks = states?.map(() => '?').join(', ')
  const where = [
    'id > ?',
    ...(sessionId === undefined ? [] : ['session_id = ?']),
    ...(marks === undefined ? [] : [`state IN (${marks})`]),
  ].join(' AND ')
  const values = [after, ...(sessionId === undefined ? [] : [sessionId]), ...(states ?? []), limit]
  const index = sessionId === undefined ? '' : 'INDEXED BY series_of_session'
  return db.all<SeriesRow>(`SELECT * FROM series ${index} WHERE ${where} ORDER BY id LIMIT ?`, ...values).map(toSeries)
}

/** Says in which zone each group is; series that went by another are reckoned anew. */
export function assignZones(tx: Tx, zoneOf: ReadonlyMap<string, string>, nowMs: number): void {
  for (const [group, zone] of zoneOf) {
    const sql = 'SELECT time_zone FROM group_zones WHERE group_name = ?'
    const before = tx.db.get<{ time_zone: string }>(sql, group)?.time_zone
    if (before === zone) continue
    tx.db.run('INSERT OR REPLACE INTO group_zones (group_name, time_zone) VALUES (?, ?)', group, zone)
    if (before === undefined) continue
    const moved = tx.db.all<{ id: string }>(
      `SELECT r.id FROM series AS r JOIN sessions AS s ON s.id = r.session_id
       WHERE s.group_name = ? AND s.time_zone IS NULL AND r.state <> 'ended'`,
      group,
    )
    for (const { id } of moved) rezoneOne(tx, id, nowMs)
  }
}

/** Gives a session a zone of its own, or its group's again. False: no such session. */
export function setTimeZone(tx: Tx, sessionId: string, timeZone: string | null, nowMs: number): boolean {
  const sql = 'UPDATE sessions SET time_zone = ? WHERE id = ?'
  if (tx.db.run(sql, timeZone, sessionId) === 0) return false
  const series = tx.db.all<{ id: string }>(
    "SELECT id FROM series INDEXED BY series_of_session WHERE session_id = ? AND state <> 'ended'",
    sessionId,
  )
  for (const { id } of series) rezoneOne(tx, id, nowMs)
  return true
}

function rezoneOne(tx: Tx, id: string, nowMs: number): void {
  const series = getSeries(tx.db, id)
  if (series !== null) rezone(tx, series, nowMs)
}
