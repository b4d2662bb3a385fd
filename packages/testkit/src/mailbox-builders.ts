import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Message, Projection } from '../../sessiond/src/ports.ts'

/** A message of a store, with the fields a test cares about. */
export function messageOf(id: string, seq: number, changes: Partial<Message> = {}): Message {
  return {
    id,
    seq,
    sessionId: 'group/session',
    group: 'group',
    kind: 'chat',
    content: JSON.stringify({ text: `text of ${id}` }),
    processAfterMs: Date.UTC(2030, 0, 1),
    trigger: true,
    onWake: false,
    address: { platformId: null, channelType: null, threadId: null },
    sourceSessionId: null,
    seriesId: null,
    status: 'pending',
    createdAtMs: Date.UTC(2030, 0, 1),
    tries: 0,
    attempt: 1,
    projectedEpoch: 1,
    claimEpoch: null,
    claimedAtMs: null,
    cancelRequestedAtMs: null,
    endedAtMs: null,
    failure: null,
    error: null,
    answered: false,
    deadLetter: false,
    isSuspect: false,
    troubles: null,
    ...changes,
  }
}

/** A projection of these messages, all wanted. */
export function projectionOf(messages: readonly Message[], changes: Partial<Projection> = {}): Projection {
  return {
    sessionId: 'group/session',
    epoch: 1,
    grantedAtMs: Date.UTC(2030, 0, 1),
    takenSeq: 0,
    timeZone: null,
    messages: messages.map((message) => ({ message, isWanted: true, isHeldBack: false, brief: null })),
    answers: [],
    ...changes,
  }
}

/** Does something with a database file and closes it, whatever comes. */
export function withDatabase<T>(path: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path, { timeout: 2000 })
  try {
    return work(db)
  } finally {
    db.close()
  }
}

/** Writes a row of `messages_out` as a runner does; `changes` name what is odd about it. */
export function writeReply(db: DatabaseSync, seq: SQLInputValue, changes: Record<string, SQLInputValue> = {}): void {
  insert(db, 'messages_out', {
    id: `reply-${seq}`,
    seq,
    timestamp: '2030-01-01T00:00:00Z',
    kind: 'chat',
    content: JSON.stringify({ text: `reply ${seq}` }),
    ...changes,
  })
}

/** Writes a row of `processing_ack` as a runner does. */
export function writeAck(
  db: DatabaseSync,
  messageId: SQLInputValue,
  status: string,
  changes: Record<string, SQLInputValue> = {},
): void {
  insert(db, 'processing_ack', { message_id: messageId, status, status_changed: '2030-01-01T00:00:00Z', ...changes })
}

function insert(db: DatabaseSync, table: string, row: Record<string, SQLInputValue>): void {
  const columns = Object.keys(row)
  const marks = columns.map(() => '?').join(', ')
  db.prepare(`INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${marks})`).run(...Object.values(row))
}
