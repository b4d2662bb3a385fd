import type { DeliveryOutcome, DueDelivery } from '../store.ts'
import { boundedError } from './bounded-error.ts'
import type { Database } from './database.ts'
import { type DeliveryRow, type ReplyRow, toDelivery, toReply } from './rows.ts'
import type { Tx } from './tx.ts'

/**
 * What goes to one sink from one session, in order: only its head can be due, the others are queued behind it. Replies
 * their agent postponed are a lane of their own, in order of their times, so that none holds up what is due before it
 * and thousands of them cost no more than one.
 */
interface Lane {
  readonly sessionId: string
  readonly sink: string
  readonly isPostponed: boolean
}

/** Puts a reply on its way to each sink. */
export function addDeliveries(
  tx: Tx,
  reply: { readonly replyId: string; readonly sessionId: string; readonly deliverAfterMs: number },
  sinks: readonly string[],
  nowMs: number,
): void {
  const isPostponed = reply.deliverAfterMs > nowMs
  for (const sink of sinks) {
    const lane = { sessionId: reply.sessionId, sink, isPostponed }
    const isQueued = getHead(tx.db, lane) !== undefined
    tx.db.run(
      `INSERT INTO deliveries (reply_id, session_id, sink, is_queued, is_postponed, next_attempt_at_ms)
       VALUES (?, ?, ?, ?, ?, ?)`,
      reply.replyId,
      reply.sessionId,
      sink,
      isQueued ? 1 : 0,
      isPostponed ? 1 : 0,
      Math.max(reply.deliverAfterMs, nowMs),
    )
    if (isPostponed && isQueued) electPostponed(tx.db, lane)
  }
}

type Place = Pick<DeliveryRow, 'id'>

function getHead(db: Database, lane: Lane): Place | undefined {
  const sql = `SELECT id FROM deliveries INDEXED BY deliveries_lane
     WHERE session_id = ? AND sink = ? AND status = 'pending' AND is_queued = 0 AND is_postponed = ? LIMIT 1`
  return db.get<Place>(sql, lane.sessionId, lane.sink, lane.isPostponed ? 1 : 0)
}

/** Gives a lane the head it should have, after one of it has ended or waits for its next attempt. */
function elect(db: Database, lane: Lane, nowMs: number): void {
  if (lane.isPostponed) electPostponed(db, lane)
  else if (getHead(db, lane) === undefined) promoteOldest(db, lane, nowMs)
}

/** Due now: one queued was due when it was stored, whatever the clock has been set to since. */
function promoteOldest(db: Database, lane: Lane, nowMs: number): void {
  db.run(
    `UPDATE deliveries SET is_queued = 0, next_attempt_at_ms = min(next_attempt_at_ms, ?) WHERE id = (
       SELECT id FROM deliveries INDEXED BY deliveries_lane
       WHERE session_id = ? AND sink = ? AND status = 'pending' AND is_queued = 1 AND is_postponed = 0
       ORDER BY id LIMIT 1)`,
    nowMs,
    lane.sessionId,
    lane.sink,
  )
}

const FIRST_POSTPONED = `
SELECT id FROM deliveries INDEXED BY deliveries_postponed
WHERE session_id = ? AND sink = ? AND status = 'pending' AND is_postponed = 1
ORDER BY next_attempt_at_ms, id LIMIT 1`

/** The earliest leads: one that waits for its next attempt steps back behind those whose time has come. */
function electPostponed(db: Database, lane: Lane): void {
  const first = db.get<Place>(FIRST_POSTPONED, lane.sessionId, lane.sink)
  const head = getHead(db, lane)
  if (first === undefined || first.id === head?.id) return
  if (head !== undefined) db.run('UPDATE deliveries SET is_queued = 1 WHERE id = ?', head.id)
  db.run('UPDATE deliveries SET is_queued = 0 WHERE id = ?', first.id)
}

// Both heads of a session and sink may be due together; then the older goes first, so that one is under way at a time.
const DUE = `
SELECT * FROM deliveries AS d INDEXED BY deliveries_due
WHERE d.status = 'pending' AND d.is_queued = 0 AND d.next_attempt_at_ms <= ?1
  AND d.sink NOT IN (SELECT value FROM json_each(?2))
  AND NOT EXISTS (
    SELECT 1 FROM deliveries AS o INDEXED BY deliveries_lane
    WHERE o.session_id = d.session_id AND o.sink = d.sink AND o.status = 'pending' AND o.is_queued = 0
      AND o.next_attempt_at_ms <= ?1 AND o.id < d.id)
ORDER BY d.next_attempt_at_ms, d.id LIMIT ?3`

/** Lists what can be delivered now; filters first, then counts (B13). */
export function listDueDeliveries(db: Database, nowMs: number, limit: number, busy: readonly string[]): DueDelivery[] {
  return withReplies(db, db.all<DeliveryRow>(DUE, nowMs, JSON.stringify(busy), limit))
}

function withReplies(db: Database, rows: readonly DeliveryRow[]): DueDelivery[] {
  return rows.flatMap((row) => {
    const reply = db.get<ReplyRow>('SELECT * FROM replies WHERE id = ?', row.reply_id)
    return reply === undefined ? [] : [{ delivery: toDelivery(row), reply: toReply(reply) }]
  })
}

export function getDeadDelivery(db: Database, id: number): DueDelivery | null {
  const row = db.get<DeliveryRow>("SELECT * FROM deliveries WHERE id = ? AND status = 'failed'", id)
  return row === undefined ? null : (withReplies(db, [row])[0] ?? null)
}

export function nextDeliveryAtMs(db: Database): number | null {
  const sql = `SELECT next_attempt_at_ms AS at_ms FROM deliveries WHERE status = 'pending' AND is_queued = 0
     ORDER BY next_attempt_at_ms LIMIT 1`
  return db.get<{ at_ms: number }>(sql)?.at_ms ?? null
}

/** Records what came of attempt number `attempt`; false when the delivery is not waiting for exactly that one. */
export function recordDelivery(tx: Tx, id: number, attempt: number, outcome: DeliveryOutcome, nowMs: number): boolean {
  const row = tx.db.get<DeliveryRow>('SELECT * FROM deliveries WHERE id = ?', id)
  if (row === undefined || row.status !== 'pending' || row.attempts !== attempt - 1) return false
  if (outcome.to === 'retry') {
    const error = boundedError(outcome.error)
    const sql = 'UPDATE deliveries SET attempts = ?, next_attempt_at_ms = ?, last_error = ? WHERE id = ?'
    tx.db.run(sql, attempt, outcome.nextAttemptAtMs, error, id)
    elect(tx.db, laneOf(row), nowMs)
    const { nextAttemptAtMs } = outcome
    journalDelivery(tx, 'reply:deliveryRetried', row, { attempts: attempt, nextAttemptAtMs, error }, nowMs)
    return true
  }
  const error = outcome.to === 'failed' ? boundedError(outcome.error) : row.last_error
  const platformMessageId = outcome.to === 'delivered' ? outcome.platformMessageId : null
  tx.db.run(
    `UPDATE deliveries SET status = ?, attempts = ?, last_error = ?, platform_message_id = ?, ended_at_ms = ?
     WHERE id = ?`,
    outcome.to,
    attempt,
    error,
    platformMessageId,
    nowMs,
    id,
  )
  elect(tx.db, laneOf(row), nowMs)
  if (outcome.to === 'delivered') {
    journalDelivery(tx, 'reply:delivered', row, { attempts: attempt, platformMessageId }, nowMs)
  } else journalDelivery(tx, 'reply:deliveryFailed', row, { attempts: attempt, error }, nowMs)
  return true
}

function laneOf(row: DeliveryRow): Lane {
  return { sessionId: row.session_id, sink: row.sink, isPostponed: row.is_postponed === 1 }
}

/** Puts a delivery its sink refused back on its way, from its first attempt. */
export function replayDeadDelivery(tx: Tx, id: number, nowMs: number): 'replayed' | 'not-dead' | 'not-found' {
  const row = tx.db.get<DeliveryRow>('SELECT * FROM deliveries WHERE id = ?', id)
  if (row === undefined) return 'not-found'
  if (row.status !== 'failed') return 'not-dead'
  const isQueued = getHead(tx.db, { ...laneOf(row), isPostponed: false }) !== undefined
  tx.db.run(
    `UPDATE deliveries SET status = 'pending', is_queued = ?, is_postponed = 0, attempts = 0, next_attempt_at_ms = ?,
       ended_at_ms = NULL WHERE id = ?`,
    isQueued ? 1 : 0,
    nowMs,
    id,
  )
  journalDelivery(tx, 'reply:deliveryReplayed', row, {}, nowMs)
  return 'replayed'
}

/** Gives a refused delivery up for good. */
export function dropDeadDelivery(tx: Tx, id: number, nowMs: number): 'dropped' | 'not-dead' | 'not-found' {
  const row = tx.db.get<DeliveryRow>('SELECT * FROM deliveries WHERE id = ?', id)
  if (row === undefined) return 'not-found'
  if (row.status !== 'failed') return 'not-dead'
  tx.db.run("UPDATE deliveries SET status = 'dropped' WHERE id = ?", id)
  journalDelivery(tx, 'reply:deliveryDropped', row, {}, nowMs)
  return 'dropped'
}

export function journalDelivery(
  tx: Tx,
  type:
    | 'reply:delivered'
    | 'reply:deliveryRetried'
    | 'reply:deliveryFailed'
    | 'reply:deliveryReplayed'
    | 'reply:deliveryDropped',
  row: DeliveryRow,
  detail: Readonly<Record<string, unknown>>,
  atMs: number,
): void {
  const reply = tx.db.get<{ in_reply_to: string | null; epoch: number | null }>(
    'SELECT in_reply_to, epoch FROM replies WHERE id = ?',
    row.reply_id,
  )
  tx.journal({
    type,
    atMs,
    sessionId: row.session_id,
    epoch: reply?.epoch ?? null,
    messageId: reply?.in_reply_to ?? null,
    detail: { deliveryId: row.id, replyId: row.reply_id, sink: row.sink, ...detail },
  })
}
