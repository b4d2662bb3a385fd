import type { DeliveryOutcome, DueDelivery } from '../store.ts'
import { boundedError } from './bounded-error.ts'
import type { Database } from './database.ts'
import { type DeliveryRow, type ReplyRow, toDelivery, toReply } from './rows.ts'
import type { Tx } from './tx.ts'

interface Lane {
  readonly sessionId: string
  readonly sink: string
}

/**
 * Puts a reply on its way to each sink. Order holds within a lane (one session, one sink): only its head can be due,
 * the others are queued behind it. A reply its agent postponed waits for its own time beside the lane.
 */
export function addDeliveries(
  tx: Tx,
  reply: { readonly replyId: string; readonly sessionId: string; readonly deliverAfterMs: number },
  sinks: readonly string[],
  nowMs: number,
): void {
  const isPostponed = reply.deliverAfterMs > nowMs
  for (const sink of sinks) {
    const isQueued = !isPostponed && hasHead(tx.db, { sessionId: reply.sessionId, sink })
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
  }
}

function hasHead(db: Database, lane: Lane): boolean {
  const sql = `SELECT 1 FROM deliveries WHERE session_id = ? AND sink = ? AND status = 'pending' AND is_queued = 0
     AND is_postponed = 0 LIMIT 1`
  return db.get(sql, lane.sessionId, lane.sink) !== undefined
}

/** Makes the oldest of those queued the head, when the lane has none. */
function promote(db: Database, lane: Lane): void {
  if (hasHead(db, lane)) return
  db.run(
    `UPDATE deliveries SET is_queued = 0 WHERE id = (
       SELECT id FROM deliveries WHERE session_id = ? AND sink = ? AND status = 'pending' AND is_queued = 1
       ORDER BY id LIMIT 1)`,
    lane.sessionId,
    lane.sink,
  )
}

// A head and a postponed one may be due together; then the older goes first, so that a lane has one under way.
const DUE = `
SELECT * FROM deliveries AS d
WHERE d.status = 'pending' AND d.is_queued = 0 AND d.next_attempt_at_ms <= ?1
  AND d.sink NOT IN (SELECT value FROM json_each(?2))
  AND NOT EXISTS (
    SELECT 1 FROM deliveries AS o
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
  promote(tx.db, { sessionId: row.session_id, sink: row.sink })
  if (outcome.to === 'delivered') {
    journalDelivery(tx, 'reply:delivered', row, { attempts: attempt, platformMessageId }, nowMs)
  } else journalDelivery(tx, 'reply:deliveryFailed', row, { attempts: attempt, error }, nowMs)
  return true
}

/** Puts a delivery its sink refused back on its way, from its first attempt. */
export function replayDeadDelivery(tx: Tx, id: number, nowMs: number): 'replayed' | 'not-dead' | 'not-found' {
  const row = tx.db.get<DeliveryRow>('SELECT * FROM deliveries WHERE id = ?', id)
  if (row === undefined) return 'not-found'
  if (row.status !== 'failed') return 'not-dead'
  const isQueued = hasHead(tx.db, { sessionId: row.session_id, sink: row.sink })
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

function journalDelivery(
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
