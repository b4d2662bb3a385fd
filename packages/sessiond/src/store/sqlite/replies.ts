import { runLine } from '../../model/journal.ts'
import type { Address } from '../../model/message.ts'
import type { Reply } from '../../model/reply.ts'
import type { NewReply, RunKey, Store } from '../store.ts'
import { addDeliveries } from './deliveries.ts'
import { cut, readAhead } from './page.ts'
import { type MessageRow, type ReplyRow, toMessage, toReply } from './rows.ts'
import type { Tx } from './tx.ts'

const INSERT = `
INSERT INTO replies (id, session_id, epoch, seq, in_reply_to, kind, content, created_at_ms, deliver_after_ms,
  platform_id, channel_type, thread_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/**
 * Adds a run's reply once: its place (session, epoch, seq) says which it is, and a row whose place is taken is passed
 * over. Runs number their replies as they like, and no run may silence another: an id in use elsewhere is replaced by
 * one of ours. Marks the message it answers, in the same session only. True when it was new.
 */
export function addRunReply(tx: Tx, run: RunKey, reply: NewReply, sinks: readonly string[], nowMs: number): boolean {
  const standing = getReplyAt(tx, run, reply.seq)
  if (standing !== undefined) {
    if (standing.content !== reply.content) {
      const detail = { what: 'reply', because: 'seq-taken', replyId: reply.id, seq: reply.seq }
      tx.journal(runLine('evidence:ignored', nowMs, run, detail))
    }
    return false
  }
  const id = isReplyIdTaken(tx, reply.id) ? tx.newId('reply-') : reply.id
  insertReply(tx, { ...reply, id, sessionId: run.sessionId, epoch: run.epoch, createdAtMs: nowMs }, sinks)
  if (reply.inReplyTo !== null) {
    const sql = 'UPDATE messages SET answered = 1 WHERE id = ? AND session_id = ? AND answered = 0'
    tx.db.run(sql, reply.inReplyTo, run.sessionId)
  }
  return true
}

function getReplyAt(tx: Tx, { sessionId, epoch }: RunKey, seq: number): ReplyRow | undefined {
  const sql = 'SELECT * FROM replies WHERE session_id = ? AND epoch = ? AND seq = ?'
  return tx.db.get<ReplyRow>(sql, sessionId, epoch, seq)
}

function isReplyIdTaken(tx: Tx, id: string): boolean {
  return tx.db.get('SELECT 1 FROM replies WHERE id = ?', id) !== undefined
}

/** Has the host say something to the user about a message, where the message came from. */
export function addHostReply(
  tx: Tx,
  about: { readonly id: string; readonly sessionId: string; readonly address: Address },
  text: string,
  sinks: readonly string[],
  nowMs: number,
): void {
  const reply = {
    id: tx.newId('host-'),
    sessionId: about.sessionId,
    epoch: null,
    seq: null,
    inReplyTo: about.id,
    kind: 'system' as const,
    content: JSON.stringify({ text }),
    createdAtMs: nowMs,
    deliverAfterMs: nowMs,
    address: about.address,
  }
  insertReply(tx, reply, sinks)
}

function insertReply(tx: Tx, reply: Omit<Reply, 'group'>, sinks: readonly string[]): void {
  const { id, sessionId, epoch, seq, inReplyTo, kind, address, createdAtMs, deliverAfterMs } = reply
  tx.db.run(
    INSERT,
    id,
    sessionId,
    epoch,
    seq,
    inReplyTo,
    kind,
    reply.content,
    createdAtMs,
    deliverAfterMs,
    address.platformId,
    address.channelType,
    address.threadId,
  )
  addDeliveries(tx, { replyId: id, sessionId, deliverAfterMs }, sinks, createdAtMs)
  const detail = { replyId: id, inReplyTo, seq, kind }
  tx.journal({ type: 'reply:written', atMs: createdAtMs, sessionId, epoch, messageId: inReplyTo, detail })
}

/** Tells the user of a session's trouble by way of its oldest message that waits; without one there is nobody to tell. */
export function tellSession(tx: Tx, sessionId: string, text: string, sinks: readonly string[], nowMs: number): void {
  const row = tx.db.get<MessageRow>(
    `SELECT * FROM messages WHERE session_id = ? AND status = 'pending' AND trigger = 1
     ORDER BY process_after_ms, seq LIMIT 1`,
    sessionId,
  )
  if (row !== undefined) addHostReply(tx, toMessage(row), text, sinks, nowMs)
}

/** The newest replies within the bounds, in order of arrival. */
export function listReplies(db: Tx['db'], query: Parameters<Store['listReplies']>[0]): Reply[] {
  const { sessionId, inReplyTo, limit, maxBytes = Number.POSITIVE_INFINITY } = query
  const rows =
    inReplyTo === undefined
      ? db.iterate<ReplyRow>(
          'SELECT * FROM replies WHERE session_id = ? ORDER BY ordinal DESC LIMIT ?',
          sessionId,
          limit,
        )
      : db.iterate<ReplyRow>(
          'SELECT * FROM replies WHERE in_reply_to = ? AND session_id = ? ORDER BY ordinal DESC LIMIT ?',
          inReplyTo,
          sessionId,
          limit,
        )
  return within(rows, maxBytes).reverse()
}

export function listRepliesAfter(db: Tx['db'], query: Parameters<Store['listRepliesAfter']>[0]): Reply[] {
  const rows = db.iterate<ReplyRow>(
    `SELECT * FROM replies
     WHERE in_reply_to = ? AND session_id = ? AND ordinal > coalesce((SELECT ordinal FROM replies WHERE id = ?), 0)
     ORDER BY ordinal LIMIT ?`,
    query.inReplyTo,
    query.sessionId,
    query.afterId,
    query.limit,
  )
  return within(rows, query.maxBytes)
}

function within(rows: Iterable<ReplyRow>, maxBytes: number): Reply[] {
  const read = readAhead(rows, maxBytes, (row) => row)
  return cut(read, { limit: read.length, maxBytes }, (row) => row).map(toReply)
}

/** Those of `ids` that exist, in the order asked for. */
export function getReplies(db: Tx['db'], ids: readonly string[]): Reply[] {
  return ids.flatMap((id) => {
    const row = db.get<ReplyRow>('SELECT * FROM replies WHERE id = ?', id)
    return row === undefined ? [] : [toReply(row)]
  })
}
