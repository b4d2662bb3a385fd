import { SessiondError } from '../../model/errors.ts'
import type { NewMessage, SendReceipt } from '../../model/message.ts'
import { sessionIdOf } from '../../model/session.ts'
import { type MessageRow, toMessage } from './rows.ts'
import type { Tx } from './tx.ts'

/** Accepts messages one by one in this transaction; a refused one leaves nothing behind. */
export function accept(tx: Tx, messages: readonly NewMessage[], nowMs: number): (SendReceipt | Error)[] {
  return messages.map((message) => tx.guard(() => acceptOne(tx, message, nowMs)))
}

function acceptOne(tx: Tx, message: NewMessage, nowMs: number): SendReceipt | SessiondError {
  const earlier = tx.db.get<MessageRow>('SELECT * FROM messages WHERE id = ?', message.id)
  if (earlier !== undefined) return repeat(earlier, message)
  const refusal = openSession(tx, message, nowMs)
  return refusal ?? insertMessage(tx, message, nowMs)
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

/** Makes the session on first use; returns why it cannot take messages. */
function openSession(tx: Tx, message: NewMessage, nowMs: number): SessiondError | null {
  const { sessionId, group } = message
  const known = tx.db.get<{ id: string; status: string }>(
    'SELECT id, status FROM sessions WHERE id = ? COLLATE NOCASE',
    sessionId,
  )
  if (known === undefined) {
    createSession(tx, sessionId, group, nowMs)
    return null
  }
  if (known.id !== sessionId) {
    return new SessiondError('SESSION_NAME_CLASH', `${sessionId} differs from the session ${known.id} only in case.`, {
      fields: { sessionId, existing: known.id },
    })
  }
  if (known.status === 'closed') {
    return new SessiondError('SESSION_CLOSED', `The session ${sessionId} is closed.`, { fields: { sessionId } })
  }
  return null
}

function createSession(tx: Tx, id: string, group: string, nowMs: number): void {
  const name = id.slice(group.length + 1)
  if (sessionIdOf(group, name) !== id || name === '') throw new TypeError(`${id} is no session of ${group}`)
  tx.db.run('INSERT INTO sessions (id, group_name, name, created_at_ms) VALUES (?, ?, ?, ?)', id, group, name, nowMs)
  tx.journal({ type: 'session:created', atMs: nowMs, sessionId: id, epoch: null, messageId: null, detail: { group } })
}

const INSERT = `
INSERT INTO messages (id, session_id, seq, kind, content, process_after_ms, trigger, on_wake,
  platform_id, channel_type, thread_id, source_session_id, created_at_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

function insertMessage(tx: Tx, message: NewMessage, nowMs: number): SendReceipt {
  const { id: messageId, sessionId, kind, processAfterMs, trigger, onWake, address } = message
  const seq = nextSeq(tx, sessionId)
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
  )
  const detail = { seq, kind, processAfterMs, trigger }
  tx.journal({ type: 'message:accepted', atMs: nowMs, sessionId, epoch: null, messageId, detail })
  return { messageId, sessionId, seq, processAfterMs, duplicate: false }
}

/** Counted in the session's row and not read off the newest message: pruned history must not bring a seq back. */
function nextSeq(tx: Tx, sessionId: string): number {
  const row = tx.db.get<{ last_seq: number }>(
    'UPDATE sessions SET last_seq = last_seq + 2 WHERE id = ? RETURNING last_seq',
    sessionId,
  )
  if (row === undefined) throw new Error(`session ${sessionId} vanished inside its transaction`)
  return row.last_seq
}
