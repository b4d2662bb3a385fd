import type { MessageFailure } from '../../model/message.ts'
import type { MessageRow } from './rows.ts'
import { endOccurrence } from './series/step-series.ts'
import type { Tx } from './tx.ts'

/** Ends a pending message now; a claimed one is marked, and ends when its run has let go. */
export function requestCancel(
  tx: Tx,
  messageId: string,
  nowMs: number,
): 'cancelled' | 'requested' | 'not-open' | 'not-found' {
  const row = tx.db.get<MessageRow>('SELECT * FROM messages WHERE id = ?', messageId)
  if (row === undefined) return 'not-found'
  if (row.status === 'pending') {
    endPending(tx, messageId, 'CANCELLED', 'cancelled', nowMs)
    return 'cancelled'
  }
  if (row.status !== 'claimed') return 'not-open'
  markRequested(tx, row, nowMs)
  return 'requested'
}

/** Marks everything claimed in a session; a request that already stands is counted and keeps its time. */
export function requestCancelOfClaimed(tx: Tx, sessionId: string, nowMs: number): number {
  const claimed = tx.db.all<MessageRow>(
    "SELECT * FROM messages WHERE session_id = ? AND status = 'claimed' ORDER BY seq",
    sessionId,
  )
  for (const row of claimed) markRequested(tx, row, nowMs)
  return claimed.length
}

function markRequested(tx: Tx, row: MessageRow, nowMs: number): void {
  if (row.cancel_requested_at_ms !== null) return
  tx.db.run('UPDATE messages SET cancel_requested_at_ms = ? WHERE id = ?', nowMs, row.id)
  tx.journal({
    type: 'message:cancelRequested',
    atMs: nowMs,
    sessionId: row.session_id,
    epoch: row.claim_epoch,
    messageId: row.id,
    detail: { attempt: row.attempt },
  })
}

/** Ends a pending message at someone's wish: no dead letter, nobody to tell. */
export function endPending(tx: Tx, messageId: string, failure: MessageFailure, because: string, nowMs: number): void {
  const isCancel = failure === 'CANCELLED'
  const before = tx.db.get<MessageRow>("SELECT * FROM messages WHERE id = ? AND status = 'pending'", messageId)
  if (before === undefined) return
  const { tries, session_id: sessionId } = before
  tx.db.run(
    `UPDATE messages SET status = 'failed', failure = ?, ended_at_ms = ?, projected_epoch = NULL,
       cancel_requested_at_ms = iif(?, ?, cancel_requested_at_ms)
     WHERE id = ?`,
    failure,
    nowMs,
    isCancel ? 1 : 0,
    nowMs,
    messageId,
  )
  const detail = { failure, because, tries, deadLetter: false, error: null }
  tx.journal({ type: 'message:failed', atMs: nowMs, sessionId, epoch: null, messageId, detail })
  endOccurrence(tx, before, { status: 'failed', failure }, { nowMs, sinks: [] })
}
