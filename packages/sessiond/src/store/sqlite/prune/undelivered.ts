import type { RowPruning } from '../../store.ts'
import type { Database } from '../database.ts'
import { isOver, rulesOf } from './row-rules.ts'

/** Replies to one message that are looked through; a message with more keeps until its replies have gone. */
const REPLIES_LOOKED_THROUGH = 1_000

/** Replies looked through in one step, whatever its messages have been answered: some milliseconds. */
const REPLIES_PER_STEP = 1_500

interface Standing {
  readonly replies: number
  /** Some delivery is on its way. */
  readonly pending: number | null
  /** When the last of those that died did so. */
  readonly died_at_ms: number | null
}

const OF_REPLY = `
SELECT 1 AS replies, max(status = 'pending') AS pending, max(CASE status WHEN 'failed' THEN ended_at_ms END) AS died_at_ms
FROM deliveries WHERE reply_id = ? AND status IN ('pending', 'failed')`

/** Whether a reply still has to reach someone. */
export function isReplyHeld(db: Database, pass: RowPruning, sessionId: string, replyId: string): boolean {
  return isHeld(db.get<Standing>(OF_REPLY, replyId), pass, sessionId)
}

// By session first: most have nothing under way, however many replies there are to a message.
const IN_SESSION = `
SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_lane WHERE session_id = ?1 AND status = 'pending')
  OR EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_dead_of_session WHERE session_id = ?1 AND status = 'failed')
  AS found`

const OF_ANSWERS = `
SELECT count(DISTINCT r.id) AS replies, max(d.status = 'pending') AS pending,
  max(CASE d.status WHEN 'failed' THEN d.ended_at_ms END) AS died_at_ms
FROM (SELECT id FROM replies INDEXED BY replies_to WHERE in_reply_to = ? AND session_id = ? ORDER BY ordinal LIMIT ?) AS r
LEFT JOIN deliveries AS d ON d.reply_id = r.id AND d.status IN ('pending', 'failed')`

/**
 * Tells whether something that answers a message, in its own session, still has to reach someone: of as many messages as
 * one step may ask for. A run may have answered each as often as it liked.
 */
export class AnswerLooks {
  readonly #db: Database
  readonly #pass: RowPruning
  #replies = 0

  constructor(db: Database, pass: RowPruning) {
    this.#db = db
    this.#pass = pass
  }

  /** The step has looked through as much as it may; what comes next is for the next one. */
  get areUsedUp(): boolean {
    return this.#replies >= REPLIES_PER_STEP
  }

  isHeld(sessionId: string, messageId: string): boolean {
    if (this.#db.get<{ found: number }>(IN_SESSION, sessionId)?.found !== 1) return false
    const standing = this.#db.get<Standing>(OF_ANSWERS, messageId, sessionId, REPLIES_LOOKED_THROUGH)
    this.#replies += standing?.replies ?? 0
    return standing?.replies === REPLIES_LOOKED_THROUGH || isHeld(standing, this.#pass, sessionId)
  }
}

/** On its way, or dead and within its time. */
function isHeld(standing: Standing | undefined, pass: RowPruning, sessionId: string): boolean {
  if (standing === undefined) return false
  const { pending, died_at_ms: diedAtMs } = standing
  if (pending === 1) return true
  return diedAtMs !== null && !isOver(diedAtMs, rulesOf(pass, sessionId).deadLettersMs, pass.nowMs)
}
