import type { ProviderPolicy } from '../../config/config.ts'
import { dueAfterTrouble } from '../../decide/decide-account.ts'
import { runLine } from '../../model/journal.ts'
import type { MessageFailure } from '../../model/message.ts'
import type { RunKey, Settlement } from '../store.ts'
import { noteAccountEvent } from './accounts.ts'
import { boundedError } from './bounded-error.ts'
import { addHostReply } from './replies.ts'
import { groupOf, type MessageRow, toMessage } from './rows.ts'
import { endOccurrence } from './series/step-series.ts'
import type { Tx } from './tx.ts'

/** What a settlement is applied with. */
export interface SettleContext {
  readonly run: RunKey
  readonly sinks: readonly string[]
  readonly nowMs: number
  /** Null where no run speaks of its provider. */
  readonly provider: ProviderPolicy | null
}

/**
 * Applies one settlement if the message is still claimed by, or projected to, this run at this attempt; else writes
 * nothing but a journal line. Two things the decision could not know overrule a retry: a cancel request and a closed
 * session end the message instead, untold. True when it was applied or already stood.
 */
export function settle(tx: Tx, context: SettleContext, settlement: Settlement): boolean {
  const row = tx.db.get<MessageRow>('SELECT * FROM messages WHERE id = ?', settlement.messageId)
  if (row === undefined || !isHeld(row, context.run, settlement.attempt)) {
    journalIgnored(tx, context, settlement, row)
    return false
  }
  apply(tx, context, overrule(tx, row, untilReset(tx, context, settlement)), row)
  return true
}

/**
 * Parks the account a run has trouble with, and lets the message wait as long. Also for a message that ends by someone's
 * wish at the same time: what the run says of its provider holds all the same.
 */
function untilReset(tx: Tx, { run, nowMs, provider }: SettleContext, settlement: Settlement): Settlement {
  if (settlement.to !== 'retry' || settlement.trouble === undefined || provider === null) return settlement
  const { kind: trouble, resetAtMs, isAlone } = settlement.trouble
  const { sessionId } = run
  const about = { sessionId, group: groupOf(sessionId), nowMs }
  const event = { kind: 'trouble', sessionId, trouble, resetAtMs, isAlone } as const
  const account = noteAccountEvent(tx, about, event, provider)
  const aloneBefore = Math.max(0, (settlement.troubles?.alone ?? 0) - 1)
  return { ...settlement, processAfterMs: dueAfterTrouble(account, event, aloneBefore, provider, nowMs) }
}

/** Held: in the window of exactly this run, at exactly this attempt. A claim keeps its place in the window. */
function isHeld(row: MessageRow, run: RunKey, attempt: number): boolean {
  if (row.session_id !== run.sessionId || row.attempt !== attempt) return false
  return row.status === 'claimed'
    ? row.claim_epoch === run.epoch
    : row.status === 'pending' && row.projected_epoch === run.epoch
}

function journalIgnored(
  tx: Tx,
  { run, nowMs }: SettleContext,
  { messageId, attempt, to }: Settlement,
  row?: MessageRow,
) {
  const found = row === undefined ? null : { status: row.status, attempt: row.attempt, claimEpoch: row.claim_epoch }
  const detail = { what: 'settlement', because: 'not-held', to, attempt, found }
  tx.journal(runLine('evidence:ignored', nowMs, run, detail, messageId))
}

function overrule(tx: Tx, row: MessageRow, settlement: Settlement): Settlement {
  if (settlement.to !== 'retry' && settlement.to !== 'failed') return settlement
  if (row.cancel_requested_at_ms !== null) return endUntold(settlement, 'CANCELLED', 'cancelled')
  if (settlement.to === 'retry' && isClosed(tx, row.session_id)) {
    return endUntold(settlement, 'SESSION_CLOSED', 'session-closed')
  }
  return settlement
}

function endUntold(
  settlement: Settlement & { to: 'retry' | 'failed' },
  failure: MessageFailure,
  because: string,
): Settlement {
  const { messageId, attempt, error } = settlement
  return { messageId, attempt, to: 'failed', spendsTry: false, failure, error, because, deadLetter: false, tell: null }
}

function isClosed(tx: Tx, sessionId: string): boolean {
  return tx.db.get("SELECT 1 FROM sessions WHERE id = ? AND status = 'closed'", sessionId) !== undefined
}

function apply(tx: Tx, context: SettleContext, settlement: Settlement, row: MessageRow): void {
  if (settlement.to === 'claimed') {
    markClaimed(tx, context, row)
    return
  }
  // Done, or to blame for a try, implies that the run had claimed it, whether or not its claim was seen by itself.
  const impliesClaim = settlement.to === 'completed' || settlement.spendsTry
  if (row.status === 'pending' && impliesClaim) markClaimed(tx, context, row)
  if (settlement.to === 'completed') complete(tx, context, row)
  else if (settlement.to === 'retry') retry(tx, context, settlement, row)
  else fail(tx, context, settlement, row)
  noteActive(tx, context)
}

function markClaimed(tx: Tx, context: SettleContext, row: MessageRow): void {
  if (row.status === 'claimed') return
  const { run, nowMs } = context
  const sql = "UPDATE messages SET status = 'claimed', claim_epoch = ?, claimed_at_ms = ? WHERE id = ?"
  tx.db.run(sql, run.epoch, nowMs, row.id)
  tx.journal(runLine('message:claimed', nowMs, run, { attempt: row.attempt, tries: row.tries }, row.id))
  noteActive(tx, context)
  noteFirstClaim(tx, context)
}

function noteActive(tx: Tx, { run, nowMs }: SettleContext): void {
  tx.db.run('UPDATE runs SET last_active_at_ms = ? WHERE session_id = ? AND epoch = ?', nowMs, run.sessionId, run.epoch)
}

/** A run that claims has come up: failures to come up start from nought again. */
function noteFirstClaim(tx: Tx, { run, nowMs }: SettleContext): void {
  const sql = 'UPDATE runs SET first_claim_at_ms = ? WHERE session_id = ? AND epoch = ? AND first_claim_at_ms IS NULL'
  if (tx.db.run(sql, nowMs, run.sessionId, run.epoch) === 0) return
  const session = tx.db.get<{ spawn_failures: number }>(
    'SELECT spawn_failures FROM sessions WHERE id = ? AND spawn_failures > 0',
    run.sessionId,
  )
  if (session === undefined) return
  const reset = 'UPDATE sessions SET spawn_failures = 0, spawn_not_before_ms = 0, last_spawn_error = NULL WHERE id = ?'
  tx.db.run(reset, run.sessionId)
  tx.journal(runLine('run:spawnRecovered', nowMs, run, { failures: session.spawn_failures }))
}

function complete(tx: Tx, { run, sinks, nowMs }: SettleContext, row: MessageRow): void {
  const sql = "UPDATE messages SET status = 'completed', projected_epoch = NULL, ended_at_ms = ? WHERE id = ?"
  tx.db.run(sql, nowMs, row.id)
  const detail = { answered: row.answered === 1, tries: row.tries, attempt: row.attempt }
  tx.journal(runLine('message:completed', nowMs, run, detail, row.id))
  endOccurrence(tx, row, { status: 'completed', failure: null }, { nowMs, sinks })
}

function retry(tx: Tx, { run, nowMs }: SettleContext, to: Settlement & { to: 'retry' }, row: MessageRow): void {
  const tries = row.tries + (to.spendsTry ? 1 : 0)
  const error = boundedError(to.error)
  tx.db.run(
    `UPDATE messages SET status = 'pending', projected_epoch = NULL, claim_epoch = NULL, claimed_at_ms = NULL,
       tries = ?, is_suspect = max(is_suspect, ?), process_after_ms = ?, at_once = ?, error = coalesce(?, error),
       troubles = coalesce(?, troubles)
     WHERE id = ?`,
    tries,
    to.isSuspect ? 1 : 0,
    to.processAfterMs,
    to.processAfterMs <= nowMs ? 1 : 0,
    error,
    to.troubles === undefined ? null : JSON.stringify(to.troubles),
    row.id,
  )
  const isSuspect = to.isSuspect || row.is_suspect === 1
  const detail = { because: to.because, tries, isSuspect, processAfterMs: to.processAfterMs, error }
  tx.journal(runLine('message:retried', nowMs, run, detail, row.id))
}

function fail(tx: Tx, context: SettleContext, to: Settlement & { to: 'failed' }, row: MessageRow): void {
  const { run, sinks, nowMs } = context
  const tries = row.tries + (to.spendsTry ? 1 : 0)
  const error = boundedError(to.error)
  tx.db.run(
    `UPDATE messages SET status = 'failed', projected_epoch = NULL, tries = ?, failure = ?,
       error = coalesce(?, error), dead_letter = ?, ended_at_ms = ? WHERE id = ?`,
    tries,
    to.failure,
    error,
    to.deadLetter ? 1 : 0,
    nowMs,
    row.id,
  )
  const detail = { failure: to.failure, because: to.because, tries, deadLetter: to.deadLetter, error }
  tx.journal(runLine('message:failed', nowMs, run, detail, row.id))
  if (to.tell !== null) addHostReply(tx, toMessage(row), to.tell, sinks, nowMs)
  endOccurrence(tx, row, { status: 'failed', failure: to.failure }, { nowMs, sinks })
}
