import type { Account } from '../../model/account.ts'
import type { Settlement, TakeOutbox, TakeOutboxResult } from '../store.ts'
import { getAccountOf, noteAccountEvent } from './accounts.ts'
import { addRunReply } from './replies.ts'
import { addRequests } from './requests.ts'
import { groupOf } from './rows.ts'
import { getLiveRun } from './runs.ts'
import { saveSessionState } from './session-state.ts'
import { settle } from './settle.ts'
import type { Tx } from './tx.ts'

/**
 * Stores one batch of what a run wrote. Replies come before settlements, so that a message ends knowing whether it
 * was answered.
 */
export function takeOutbox(tx: Tx, taken: TakeOutbox): TakeOutboxResult {
  for (const entry of taken.journal) tx.journal(entry)
  const { run, nowMs, sinks, provider } = taken
  if (getLiveRun(tx.db, run) === undefined) {
    return {
      applied: false,
      ignored: taken.settlements.length,
      repliesAdded: 0,
      accountMoved: false,
    }
  }
  addRequests(tx, run, taken.requests, nowMs)
  const added = taken.replies.filter((reply) => addRunReply(tx, run, reply, sinks, nowMs))
  const before = getAccountOf(tx.db, groupOf(run.sessionId))
  const ignored: Settlement[] = []
  let isAnswered = false
  for (const settlement of taken.settlements) {
    if (!settle(tx, { run, sinks, nowMs, provider }, settlement)) ignored.push(settlement)
    else isAnswered ||= settlement.to === 'completed'
  }
  const isAccountMoved = noteProvider(tx, taken, before, isAnswered)
  for (const { messageId, ack } of taken.countedAcks) {
    tx.db.run('UPDATE messages SET counted_ack = ? WHERE id = ? AND session_id = ?', ack, messageId, run.sessionId)
  }
  saveSessionState(tx, run.sessionId, taken.sessionState, nowMs)
  const sql = 'UPDATE runs SET taken_seq = max(taken_seq, ?) WHERE session_id = ? AND epoch = ?'
  tx.db.run(sql, taken.takenSeq, run.sessionId, run.epoch)
  return {
    applied: true,
    ignored: ignored.length,
    repliesAdded: added.length,
    accountMoved: isAccountMoved,
  }
}

/** One success however many messages ended with it: a batch is one turn. True when the account is another than `before`. */
function noteProvider(tx: Tx, { run, nowMs, provider }: TakeOutbox, before: Account, isAnswered: boolean): boolean {
  const { sessionId } = run
  const about = { sessionId, group: groupOf(sessionId), nowMs }
  const after = isAnswered
    ? noteAccountEvent(tx, about, { kind: 'completed', sessionId }, provider)
    : getAccountOf(tx.db, about.group)
  return JSON.stringify(after) !== JSON.stringify(before)
}
