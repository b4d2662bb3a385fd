import { runLine } from '../../model/journal.ts'
import type { EndRun } from '../store.ts'
import { boundedError } from './bounded-error.ts'
import { tellSession } from './replies.ts'
import type { MessageRow, RunRow } from './rows.ts'
import { getLiveRun } from './runs.ts'
import { settle } from './settle.ts'
import type { Tx } from './tx.ts'

/** Ends a run whose exit is confirmed: nothing it held stays held, and its first recorded cause stands. */
export function endRun(tx: Tx, end: EndRun): { readonly applied: boolean; readonly ignored: number } {
  for (const entry of end.journal) tx.journal(entry)
  const run = getLiveRun(tx.db, end.run)
  if (run === undefined) return { applied: false, ignored: end.settlements.length }
  const context = { run: end.run, sinks: end.sinks, nowMs: end.nowMs, provider: end.provider }
  const applied = end.settlements.map((settlement) => settle(tx, context, settlement))
  releaseRest(tx, end)
  markGone(tx, run, end)
  if (end.spawnFailure !== null) recordSpawnFailure(tx, end, end.spawnFailure)
  return { applied: true, ignored: applied.filter((fitted) => !fitted).length }
}

/** Claims the decision did not know of go back without a try; what was only handed over goes back by itself. */
function releaseRest(tx: Tx, { run, sinks, nowMs, end }: EndRun): void {
  const claimed = tx.db.all<Pick<MessageRow, 'id' | 'attempt'>>(
    "SELECT id, attempt FROM messages WHERE session_id = ? AND status = 'claimed'",
    run.sessionId,
  )
  for (const { id: messageId, attempt } of claimed) {
    const back = { to: 'retry', spendsTry: false, isSuspect: false, processAfterMs: nowMs } as const
    const retry = { ...back, error: null, because: end }
    settle(tx, { run, sinks, nowMs, provider: null }, { messageId, attempt, ...retry })
  }
  tx.db.run(
    `UPDATE messages INDEXED BY messages_projected SET projected_epoch = NULL
     WHERE session_id = ? AND status = 'pending' AND projected_epoch IS NOT NULL`,
    run.sessionId,
  )
}

function markGone(tx: Tx, run: RunRow, { run: key, end, exit, nowMs }: EndRun): void {
  const reason = run.end_reason ?? end
  tx.db.run(
    `UPDATE runs SET state = 'gone', end_reason = ?, exit = ?, ended_at_ms = ? WHERE session_id = ? AND epoch = ?`,
    reason,
    exit === null ? null : JSON.stringify(exit),
    nowMs,
    key.sessionId,
    key.epoch,
  )
  const evidence = run.end_evidence === null ? null : (JSON.parse(run.end_evidence) as unknown)
  tx.journal(runLine('run:exited', nowMs, key, { exit, end: reason, evidence }))
}

function recordSpawnFailure(tx: Tx, { run, sinks, nowMs }: EndRun, failure: NonNullable<EndRun['spawnFailure']>) {
  const error = boundedError(failure.error)
  const session = tx.db.get<{ failures: number }>(
    `UPDATE sessions SET spawn_failures = spawn_failures + 1, spawn_not_before_ms = ?, last_spawn_error = ?
     WHERE id = ? RETURNING spawn_failures AS failures`,
    failure.notBeforeMs,
    error,
    run.sessionId,
  )
  const detail = { failures: session?.failures, notBeforeMs: failure.notBeforeMs, error }
  tx.journal(runLine('run:spawnFailed', nowMs, run, detail))
  if (failure.tell !== null) tellSession(tx, run.sessionId, failure.tell, sinks, nowMs)
}
