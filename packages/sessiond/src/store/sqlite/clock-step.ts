import type { Database } from './database.ts'

/** Less than this is no step: concurrent senders read the clock in another order than they are accepted in. */
const STEP_MS = 1_000
/** Rows one transaction makes due again, so that it does not keep the event loop. */
export const RECALLED_AT_ONCE = 500

/** True when something that was due when it was stored is not due now: the wall clock has been set back since. */
export function wasClockSetBack(db: Database, nowMs: number): boolean {
  return Object.values(AHEAD).some((sql) => isAhead(db, sql, nowMs))
}

/**
 * Makes messages that asked for no time due now, when the clock has been set back behind the time they were stored
 * with; those accepted together keep their order by seq. What waits for a time of its own goes on waiting for it.
 */
export function recallMessages(db: Database, nowMs: number): void {
  if (!isAhead(db, AHEAD.messages, nowMs)) return
  db.run(
    `UPDATE messages SET process_after_ms = ?1 WHERE rowid IN (
       SELECT rowid FROM messages INDEXED BY messages_at_once
       WHERE status = 'pending' AND at_once = 1 AND process_after_ms > ?1 ORDER BY process_after_ms LIMIT ?2)`,
    nowMs,
    RECALLED_AT_ONCE,
  )
}

/** The same for replies that wait for their first attempt. */
export function recallDeliveries(db: Database, nowMs: number): void {
  if (!isAhead(db, AHEAD.deliveries, nowMs)) return
  db.run(
    `UPDATE deliveries SET next_attempt_at_ms = ?1 WHERE id IN (
       SELECT id FROM deliveries INDEXED BY deliveries_at_once
       WHERE status = 'pending' AND is_queued = 0 AND is_postponed = 0 AND attempts = 0 AND next_attempt_at_ms > ?1
       ORDER BY next_attempt_at_ms LIMIT ?2)`,
    nowMs,
    RECALLED_AT_ONCE,
  )
}

/** An account stays parked as long as it was meant to be, and not until a clock that was wrong has come round again. */
export function recallAccounts(db: Database, nowMs: number): void {
  if (!isAhead(db, AHEAD.accounts, nowMs)) return
  db.run(
    `UPDATE accounts SET parked_until_ms = parked_until_ms - (parked_at_ms - ?1), step_at_ms = step_at_ms - (parked_at_ms - ?1),
       parked_at_ms = ?1
     WHERE name IN (SELECT name FROM accounts INDEXED BY accounts_held WHERE state <> 'open' AND parked_at_ms > ?1)`,
    nowMs,
  )
}

const AHEAD = {
  accounts: "SELECT 1 FROM accounts INDEXED BY accounts_held WHERE state <> 'open' AND parked_at_ms > ? LIMIT 1",
  messages: `SELECT 1 FROM messages INDEXED BY messages_at_once
     WHERE status = 'pending' AND at_once = 1 AND process_after_ms > ? LIMIT 1`,
  deliveries: `SELECT 1 FROM deliveries INDEXED BY deliveries_at_once
     WHERE status = 'pending' AND is_queued = 0 AND is_postponed = 0 AND attempts = 0 AND next_attempt_at_ms > ? LIMIT 1`,
}

function isAhead(db: Database, sql: string, nowMs: number): boolean {
  return db.get(sql, nowMs + STEP_MS) !== undefined
}
