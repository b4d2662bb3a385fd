import { isStall } from '../../decide/decide-retry.ts'
import { runLine } from '../../model/journal.ts'
import type { Run, RunEnd, RunHandle } from '../../model/run.ts'
import type { RunKey } from '../store.ts'
import { noteStall } from './accounts.ts'
import type { Database } from './database.ts'
import { type RunRow, toRun } from './rows.ts'
import type { Tx } from './tx.ts'

/** The run, if it is live and exactly the one meant; every write of a run's life begins with this. */
export function getLiveRun(db: Database, { sessionId, epoch, name }: RunKey): RunRow | undefined {
  const sql = "SELECT * FROM runs WHERE session_id = ? AND epoch = ? AND name = ? AND state <> 'gone'"
  return db.get<RunRow>(sql, sessionId, epoch, name)
}

/** The one live run of a session. */
export function getLiveRunOf(db: Database, sessionId: string): RunRow | undefined {
  return db.get<RunRow>("SELECT * FROM runs WHERE session_id = ? AND state <> 'gone'", sessionId)
}

export function getRun(db: Database, sessionId: string, epoch: number): Run | null {
  const row = db.get<RunRow>('SELECT * FROM runs WHERE session_id = ? AND epoch = ?', sessionId, epoch)
  return row === undefined ? null : toRun(row)
}

/** Newest first. */
export function listRuns(db: Database, sessionId: string, limit: number): Run[] {
  const sql = 'SELECT * FROM runs WHERE session_id = ? ORDER BY epoch DESC LIMIT ?'
  return db.all<RunRow>(sql, sessionId, limit).map(toRun)
}

export function listLiveRuns(db: Database): Run[] {
  // Named, because without it the planner walks every run there ever was to have them in order.
  const sql = "SELECT * FROM runs INDEXED BY runs_live WHERE state <> 'gone' ORDER BY session_id"
  return db.all<RunRow>(sql).map(toRun)
}

export function countLiveRuns(db: Database): number {
  const sql = "SELECT count(*) AS live FROM runs INDEXED BY runs_live WHERE state <> 'gone'"
  return db.get<{ live: number }>(sql)?.live ?? 0
}

/** Keeps the first handle: a run is one container, and a second one of its name is never it. */
export function recordRunHandle(tx: Tx, run: RunKey, handle: RunHandle): boolean {
  const row = getLiveRun(tx.db, run)
  if (row === undefined) return false
  if (row.handle_id !== null) return row.handle_id === handle.id && row.handle_runtime === handle.runtime
  const sql = 'UPDATE runs SET handle_runtime = ?, handle_id = ? WHERE session_id = ? AND epoch = ?'
  tx.db.run(sql, handle.runtime, handle.id, run.sessionId, run.epoch)
  return true
}

/** A stop asked for while the run was starting stays asked for. */
export function recordRunStarted(tx: Tx, run: RunKey, nowMs: number): boolean {
  const row = getLiveRun(tx.db, run)
  if (row === undefined) return false
  if (row.started_at_ms !== null) return true
  tx.db.run(
    `UPDATE runs SET state = iif(state = 'starting', 'running', state), started_at_ms = ?, last_active_at_ms = ?
     WHERE session_id = ? AND epoch = ?`,
    nowMs,
    nowMs,
    run.sessionId,
    run.epoch,
  )
  const detail = { name: run.name, runtime: row.runtime, handle: row.handle_id, tookMs: nowMs - row.intended_at_ms }
  tx.journal(runLine('run:started', nowMs, run, detail))
  return true
}

export function recordStopIntent(
  tx: Tx,
  run: RunKey,
  end: RunEnd,
  evidence: Readonly<Record<string, unknown>>,
  nowMs: number,
): boolean {
  const row = getLiveRun(tx.db, run)
  if (row === undefined || row.end_reason !== null) return false
  tx.db.run(
    `UPDATE runs SET state = iif(state = 'unkillable', state, 'stopping'), end_reason = ?, end_evidence = ?,
       stop_intended_at_ms = ? WHERE session_id = ? AND epoch = ?`,
    end,
    JSON.stringify(evidence),
    nowMs,
    run.sessionId,
    run.epoch,
  )
  tx.journal(runLine('run:stopRequested', nowMs, run, { end, evidence }))
  // Already now: of several that are stopped together, each has to know of the others when it is settled.
  if (isStall(end)) noteStall(tx, run.sessionId, nowMs)
  return true
}

/** The first kill is the one that is dated; another changes nothing. */
export function recordKillSent(tx: Tx, run: RunKey, nowMs: number): boolean {
  const row = getLiveRun(tx.db, run)
  if (row === undefined) return false
  if (row.kill_sent_at_ms !== null) return true
  const sql = 'UPDATE runs SET kill_sent_at_ms = ? WHERE session_id = ? AND epoch = ?'
  tx.db.run(sql, nowMs, run.sessionId, run.epoch)
  const waitedMs = row.stop_intended_at_ms === null ? null : nowMs - row.stop_intended_at_ms
  tx.journal(runLine('run:killSent', nowMs, run, { end: row.end_reason, waitedMs }))
  return true
}

export function recordUnkillable(tx: Tx, run: RunKey, nowMs: number): boolean {
  const row = getLiveRun(tx.db, run)
  if (row === undefined) return false
  if (row.state === 'unkillable') return true
  tx.db.run("UPDATE runs SET state = 'unkillable' WHERE session_id = ? AND epoch = ?", run.sessionId, run.epoch)
  const waitedMs = row.kill_sent_at_ms === null ? null : nowMs - row.kill_sent_at_ms
  tx.journal(runLine('run:unkillable', nowMs, run, { end: row.end_reason, handle: row.handle_id, waitedMs }))
  return true
}
