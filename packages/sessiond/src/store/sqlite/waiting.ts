import type { WaitingSession } from '../store.ts'
import type { Database } from './database.ts'

// Starts from the due messages, which the partial index lists by time, and looks their sessions up one by one. All
// filters come before the count per group (B13).
const WAITING = `
WITH due AS (
  SELECT session_id, min(process_after_ms) AS oldest_ms FROM messages INDEXED BY messages_due
  WHERE status = 'pending' AND trigger = 1 AND process_after_ms <= ?1 GROUP BY session_id
), waiting AS (
  SELECT s.id, s.group_name, due.oldest_ms,
    row_number() OVER (PARTITION BY s.group_name ORDER BY due.oldest_ms, s.id) AS place
  FROM due CROSS JOIN sessions AS s ON s.id = due.session_id
  WHERE s.status = 'open' AND s.spawn_not_before_ms <= ?1
    AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.session_id = s.id AND r.state <> 'gone')
)
SELECT id, group_name, oldest_ms FROM waiting WHERE place <= ?2 ORDER BY oldest_ms, id`

/** Lists sessions that want a run, at most `perGroup` of each group, oldest due first. */
export function listWaiting(db: Database, nowMs: number, perGroup: number): WaitingSession[] {
  const rows = db.all<{ id: string; group_name: string; oldest_ms: number }>(WAITING, nowMs, perGroup)
  return rows.map((row) => ({ sessionId: row.id, group: row.group_name, oldestDueAtMs: row.oldest_ms }))
}

const NEXT_DUE = `
SELECT min(process_after_ms) AS at_ms FROM messages INDEXED BY messages_due
WHERE status = 'pending' AND trigger = 1 AND process_after_ms > ?1`

const NEXT_BACK_OFF_OVER = `
SELECT s.spawn_not_before_ms AS at_ms FROM sessions AS s INDEXED BY sessions_backing_off
WHERE s.spawn_not_before_ms > 0 AND s.spawn_not_before_ms > ?1 AND s.status = 'open'
  AND EXISTS (
    SELECT 1 FROM messages AS m INDEXED BY messages_waking
    WHERE m.session_id = s.id AND m.status = 'pending' AND m.trigger = 1 AND m.process_after_ms <= ?1)
  AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.session_id = s.id AND r.state <> 'gone')
ORDER BY s.spawn_not_before_ms LIMIT 1`

/** When there may be more to say: the next message falls due, or a waiting session's back-off ends. */
export function nextDueAtMs(db: Database, nowMs: number): number | null {
  const next = [NEXT_DUE, NEXT_BACK_OFF_OVER]
    .map((sql) => db.get<{ at_ms: number | null }>(sql, nowMs)?.at_ms)
    .filter((atMs) => typeof atMs === 'number')
  return next.length === 0 ? null : Math.min(...next)
}

// One meant for the next wake is in nobody's way while its session runs, and one whose account is held back waits for that.
const OLDEST_DUE = `
SELECT m.process_after_ms AS at_ms FROM messages AS m INDEXED BY messages_due
WHERE m.status = 'pending' AND m.trigger = 1 AND m.process_after_ms <= ?
  AND NOT (m.on_wake = 1 AND EXISTS (SELECT 1 FROM runs AS r WHERE r.session_id = m.session_id AND r.state <> 'gone'))
  AND NOT EXISTS (
    SELECT 1 FROM sessions AS s LEFT JOIN account_groups AS g ON g.group_name = s.group_name
      CROSS JOIN accounts AS a ON a.name = coalesce(g.account, s.group_name)
    WHERE s.id = m.session_id AND a.state <> 'open')
ORDER BY m.process_after_ms LIMIT 1`

export function oldestDueAtMs(db: Database, nowMs: number): number | null {
  return db.get<{ at_ms: number }>(OLDEST_DUE, nowMs)?.at_ms ?? null
}
