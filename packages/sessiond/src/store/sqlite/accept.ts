import { SessiondError } from '../../model/errors.ts'
import type { NewMessage, SendReceipt } from '../../model/message.ts'
import { sessionIdOf } from '../../model/session.ts'
import { recallMessages } from './clock-step.ts'
import { type MessageRow, toMessage } from './rows.ts'
import type { Tx } from './tx.ts'

/** Accepts messages one by one in this transaction; a refused one leaves nothing behind. */
export function accept(tx: Tx, messages: readonly NewMessage[], nowMs: number): (SendReceipt | Error)[] {
  // First, or what is accepted now would overtake what was accepted before the clock was set back.
  recallMessages(tx.db, nowMs)
  return messages.map((message) => tx.guard(() => acceptOne(tx, message, nowMs)))
}

function acceptOne(tx: Tx, message: NewMessage, nowMs: number): SendReceipt | SessiondError {
  const earlier = tx.db.get<MessageRow>('SELECT * FROM messages WHERE id = ?', message.id)
  if (earlier !== undefined) return repeat(earlier, message)
  const seq = nextSeq(tx, message.sessionId) ?? openSession(tx, message, FIRST_SEQ, nowMs)
  return typeof seq === 'number' ? insertMessage(tx, message, seq, nowMs) : seq
}

function repeat(row: MessageRow, message: NewMessage): SendReceipt | SessiondError {
  const earlier = toMessage(row)
  const isSame =
    earlier.sessionId === message.sessionId &&
    earlier.kind === message.kind &&
    earlier.trigger === message.trigger &&
    earlier.content === message.content
  if (!isSame) {
    return new SessiondError('MESSAGE_ID_CONFLICT', `The id ${message.id} belongs to another message.`, {
      fields: { messageId: message.id, sessionId: message.sessionId },
    })
  }
  const { id: messageId, sessionId, seq, processAfterMs } = earlier
  return { messageId, sessionId, seq, processAfterMs, duplicate: true }
}

/** Counted in the session's row and not read off the newest message: pruned history must not bring a seq back. */
function nextSeq(tx: Tx, sessionId: string): number | undefined {
  const sql = "UPDATE sessions SET last_seq = last_seq + 2 WHERE id = ? AND status = 'open' RETURNING last_seq"
  return tx.db.get<{ last_seq: number }>(sql, sessionId)?.last_seq
}

/** Makes the session on first use; or says why it cannot take messages. */
export function ensureSession(tx: Tx, of: SessionOf, nowMs: number): SessiondError | null {
  if (tx.db.get("SELECT 1 FROM sessions WHERE id = ? AND status = 'open'", of.sessionId) !== undefined) return null
  const opened = openSession(tx, of, 0, nowMs)
  return typeof opened === 'number' ? null : opened
}

type SessionOf = Pick<NewMessage, 'sessionId' | 'group'>

/** Makes the session on first use and returns the last seq it has given out, or why it cannot take messages. */
function openSession(tx: Tx, { sessionId, group }: SessionOf, lastSeq: number, nowMs: number): number | SessiondError {
  const known = tx.db.get<{ id: string }>('SELECT id FROM sessions WHERE id = ? COLLATE NOCASE', sessionId)
  if (known === undefined) return createSession(tx, { sessionId, group }, lastSeq, nowMs)
  if (known.id === sessionId) {
    return new SessiondError('SESSION_CLOSED', `The session ${sessionId} is closed.`, { fields: { sessionId } })
  }
  return new SessiondError('SESSION_NAME_CLASH', `${sessionId} differs from the session ${known.id} only in case.`, {
    fields: { sessionId, existing: known.id },
  })
}

const FIRST_SEQ = 2

function createSession(tx: Tx, { sessionId: id, group }: SessionOf, lastSeq: number, nowMs: number): number {
  const name = id.slice(group.length + 1)
  if (sessionIdOf(group, name) !== id || name === '') throw new TypeError(`${id} is no session of ${group}`)
  tx.db.run(
    'INSERT INTO sessions (id, group_name, name, created_at_ms, last_seq) VALUES (?, ?, ?, ?, ?)',
    id,
    group,
    name,
    nowMs,
    lastSeq,
  )
  tx.journal({ type: 'session:created', atMs: nowMs, sessionId: id, epoch: null, messageId: null, detail: { group } })
  return lastSeq
}

const INSERT = `
INSERT INTO messages (id, session_id, seq, kind, content, process_after_ms, trigger, on_wake,
  platform_id, channel_type, thread_id, source_session_id, created_at_ms, at_once, series_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

function insertMessage(tx: Tx, message: NewMessage, seq: number, nowMs: number): SendReceipt {
  const { id: messageId, sessionId, kind, processAfterMs, trigger, onWake, address } = message
  tx.db.run(
    INSERT,
    messageId,
    sessionId,
    seq,
    kind,
    message.content,
    processAfterMs,
    trigger ? 1 : 0,
    onWake ? 1 : 0,
    address.platformId,
    address.channelType,
    address.threadId,
    message.sourceSessionId,
    nowMs,
    processAfterMs <= nowMs ? 1 : 0,
    message.seriesId,
  )
  const detail = { seq, kind, processAfterMs, trigger }
  tx.journal({ type: 'message:accepted', atMs: nowMs, sessionId, epoch: null, messageId, detail })
  return { messageId, sessionId, seq, processAfterMs, duplicate: false }
}
