import type { TakeOutbox, TakeOutboxResult } from '../store.ts'
import { addRunReply } from './replies.ts'
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
  const { run, nowMs, sinks } = taken
  if (getLiveRun(tx.db, run) === undefined) {
    return { applied: false, ignored: taken.settlements.length, repliesAdded: 0 }
  }
  const added = taken.replies.filter((reply) => addRunReply(tx, run, reply, sinks, nowMs))
  const ignored = taken.settlements.filter((settlement) => !settle(tx, { run, sinks, nowMs }, settlement))
  for (const { messageId, ack } of taken.countedAcks) {
    tx.db.run('UPDATE messages SET counted_ack = ? WHERE id = ? AND session_id = ?', ack, messageId, run.sessionId)
  }
  saveSessionState(tx, run.sessionId, taken.sessionState, nowMs)
  const sql = 'UPDATE runs SET taken_seq = max(taken_seq, ?) WHERE session_id = ? AND epoch = ?'
  tx.db.run(sql, taken.takenSeq, run.sessionId, run.epoch)
  return { applied: true, ignored: ignored.length, repliesAdded: added.length }
}
