import type { DatabaseSync } from 'node:sqlite'
import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import { unsafe } from './inspect-outbound.ts'
import type { OutboxBatch, SessionPaths } from './mailbox.ts'
import type { TakeInput } from './operations.ts'
import { type OutboundColumns, readOutboundSchema } from './outbound-schema.ts'
import { parseAck } from './parse-ack.ts'
import { parseReply } from './parse-reply.ts'
import { parseSessionState } from './parse-session-state.ts'
import { parseState } from './parse-state.ts'
import { readWindowIds } from './read-window-ids.ts'
import { RefusedRows } from './refused-rows.ts'

/** Newest acknowledgements looked at. Of a run that keeps more, also those about what it has in hand. */
const MAX_ACKS = 1000
/** Longest id, address or time in bytes; longer ones read as absent. */
const WORD_BYTES = 4 * PROTOCOL_LIMITS.idChars
const MAX_SEQ = BigInt(Number.MAX_SAFE_INTEGER)

type Bounds = Pick<TakeInput, 'paths' | 'afterSeq' | 'maxRows' | 'maxBytes'>

/** Reads one bounded batch in one read transaction, so that acknowledgements and replies fit together. */
export function readOutbox(db: DatabaseSync, bounds: Bounds): OutboxBatch {
  db.exec('BEGIN')
  const columns = readOutboundSchema(db)
  const refused = new RefusedRows()
  const acks = readAcks(db, columns, bounds.paths, refused)
  const found = readReplies(db, columns, bounds, refused)
  const state = readState(db, columns)
  const sessionState = readSessionState(db, columns, refused)
  db.exec('COMMIT')
  return { acks, ...found, state, sessionState, refused: refused.list() }
}

function readAcks(
  db: DatabaseSync,
  columns: OutboundColumns,
  paths: SessionPaths,
  refused: RefusedRows,
): OutboxBatch['acks'] {
  const has = columns.processing_ack
  if (!has.has('message_id') || !has.has('status')) return []
  const select = selectAck(has)
  const rows = db.prepare(`${select} ORDER BY rowid DESC LIMIT ${MAX_ACKS + 1}`).all()
  const oldest = rows[MAX_ACKS - 1]
  if (rows.length > MAX_ACKS && oldest !== undefined) {
    refused.add('processing_ack', `more than ${MAX_ACKS} rows: the oldest are read only for messages in hand`)
    // A row changed in place keeps its old one: what a long task came to stands behind all that was done beside it.
    const older = `${select} WHERE rowid < ? AND message_id IN (SELECT value FROM json_each(?))
      ORDER BY rowid DESC LIMIT ${MAX_ACKS}`
    const ids = JSON.stringify(readWindowIds(paths, MAX_ACKS))
    rows.splice(MAX_ACKS, 1, ...db.prepare(older).all(oldest.place ?? null, ids))
  }
  return refused.keepValid('processing_ack', rows.reverse().map(parseAck))
}

function selectAck(has: ReadonlySet<string>): string {
  return `SELECT rowid AS place, ${word(has, 'message_id')}, ${word(has, 'status')}, ${stamp(has, 'status_changed')},
      ${number(has, 'epoch')}, ${number(has, 'attempt')}, ${word(has, 'retry_at')},
      ${word(has, 'trouble')},      ${text(has, 'error', PROTOCOL_LIMITS.errorChars)}
    FROM processing_ack`
}

function readReplies(
  db: DatabaseSync,
  columns: OutboundColumns,
  bounds: Bounds,
  refused: RefusedRows,
): Pick<OutboxBatch, 'replies' | 'lastSeq' | 'hasMore'> {
  const has = columns.messages_out
  const replies: OutboxBatch['replies'][number][] = []
  if (!['id', 'seq', 'content'].every((column) => has.has(column))) {
    return { replies, lastSeq: bounds.afterSeq, hasMore: false }
  }
  refuseUnreachable(db, refused)
  const heads = listHeads(db, bounds)
  const read = db.prepare(selectReply(has))
  const ids = new Set<string>()
  let lastSeq = bounds.afterSeq
  let bytesLeft = bounds.maxBytes
  for (const { seq, bytes } of heads.slice(0, bounds.maxRows)) {
    // An index that lies about its order must not move the cursor back or hand a row out twice.
    if (seq <= lastSeq) continue
    const isTooLarge = bytes > PROTOCOL_LIMITS.contentBytes
    if (!isTooLarge && bytes > bytesLeft && replies.length > 0) return { replies, lastSeq, hasMore: true }
    lastSeq = seq
    const where = `messages_out seq ${seq}`
    if (isTooLarge) {
      refused.add(where, `content of ${bytes} bytes, more than ${PROTOCOL_LIMITS.contentBytes}`)
      continue
    }
    const parsed = parseReply(seq, read.get(BigInt(seq)))
    if ('because' in parsed) refused.add(where, parsed.because)
    else if (ids.has(parsed.value.id)) refused.add(where, 'an id used twice')
    else {
      ids.add(parsed.value.id)
      replies.push(parsed.value)
      bytesLeft -= bytes
    }
  }
  const hasMore = heads.length > bounds.maxRows
  // An index made to lie answers with rows behind the cursor, for ever: who goes on reading never ends.
  if (hasMore && lastSeq === bounds.afterSeq) throw unsafe('the order of messages_out is not true')
  return { replies, lastSeq, hasMore }
}

/** Sequence numbers and sizes first: no content is materialised before its size is known. */
function listHeads(db: DatabaseSync, bounds: Bounds): { readonly seq: number; readonly bytes: number }[] {
  const rows = db
    .prepare(
      `SELECT seq, coalesce(octet_length(content), 0) AS bytes FROM messages_out
       WHERE seq > ? AND seq <= ${MAX_SEQ} AND typeof(seq) = 'integer' ORDER BY seq LIMIT ?`,
    )
    .all(BigInt(bounds.afterSeq), BigInt(bounds.maxRows + 1))
  return rows.map((row) => ({ seq: Number(row.seq), bytes: Number(row.bytes) }))
}

/** Rows the cursor can never come to are named once, so that they are not lost in silence. */
function refuseUnreachable(db: DatabaseSync, refused: RefusedRows): void {
  const beyond = db.prepare(`SELECT 1 FROM messages_out WHERE seq > ${MAX_SEQ} LIMIT 1`).get()
  if (beyond !== undefined) refused.add('messages_out', 'a seq that is no number of this protocol')
  const below = db.prepare('SELECT 1 FROM messages_out WHERE seq < 1 LIMIT 1').get()
  if (below !== undefined) refused.add('messages_out', 'a seq below 1')
}

function selectReply(has: ReadonlySet<string>): string {
  return `SELECT ${word(has, 'id')}, ${word(has, 'in_reply_to')}, ${word(has, 'kind')}, ${word(has, 'deliver_after')},
      ${number(has, 'epoch')}, ${word(has, 'platform_id')}, ${word(has, 'channel_type')}, ${word(has, 'thread_id')},
      CASE WHEN octet_length(content) <= ${PROTOCOL_LIMITS.contentBytes} THEN content END AS content
    FROM messages_out WHERE seq = ? LIMIT 1`
}

function readState(db: DatabaseSync, columns: OutboundColumns): OutboxBatch['state'] {
  const has = columns.container_state
  if (has.size === 0) return null
  const row = db
    .prepare(
      `SELECT ${text(has, 'current_tool', PROTOCOL_LIMITS.toolNameChars)}, ${number(has, 'tool_declared_timeout_ms')},
         ${number(has, 'tool_expected_ms')}, ${word(has, 'tool_started_at')}, ${number(has, 'progress_seq')},
         ${word(has, 'open_work', 4 * PROTOCOL_LIMITS.openWorkChars)}
       FROM container_state ORDER BY rowid LIMIT 1`,
    )
    .get()
  return row === undefined ? null : parseState(row)
}

function readSessionState(
  db: DatabaseSync,
  columns: OutboundColumns,
  refused: RefusedRows,
): OutboxBatch['sessionState'] {
  const has = columns.session_state
  if (!has.has('key') || !has.has('value')) return []
  const rows = db
    .prepare(
      `SELECT ${word(has, 'key')}, ${word(has, 'value', PROTOCOL_LIMITS.stateValueBytes)}
       FROM session_state ORDER BY rowid LIMIT ${PROTOCOL_LIMITS.stateRows + 1}`,
    )
    .all()
  if (rows.length > PROTOCOL_LIMITS.stateRows) {
    refused.add('session_state', `more than ${PROTOCOL_LIMITS.stateRows} rows: the newest are not kept`)
  }
  return refused.keepValid('session_state', rows.slice(0, PROTOCOL_LIMITS.stateRows).map(parseSessionState))
}

/** A text column of at most `bytes`, else NULL; also NULL where the table has no such column. */
function word(has: ReadonlySet<string>, column: OutboundColumn, bytes = WORD_BYTES): string {
  if (!has.has(column)) return `NULL AS ${column}`
  return `CASE WHEN typeof(${column}) = 'text' AND octet_length(${column}) <= ${bytes} THEN ${column} END AS ${column}`
}

/** The first characters of a text column. */
function text(has: ReadonlySet<string>, column: OutboundColumn, chars: number): string {
  if (!has.has(column)) return `NULL AS ${column}`
  return `CASE WHEN typeof(${column}) = 'text' AND octet_length(${column}) <= ${PROTOCOL_LIMITS.contentBytes}
    THEN substr(${column}, 1, ${chars}) END AS ${column}`
}

/** A number column; text, blobs and NULL read as NULL. */
function number(has: ReadonlySet<string>, column: OutboundColumn): string {
  if (!has.has(column)) return `NULL AS ${column}`
  return `CASE WHEN typeof(${column}) IN ('integer', 'real') THEN ${column} END AS ${column}`
}

/** A text or a number, as text: for what is only compared with itself. */
function stamp(has: ReadonlySet<string>, column: OutboundColumn): string {
  if (!has.has(column)) return `NULL AS ${column}`
  return `CASE WHEN typeof(${column}) IN ('integer', 'real')
      OR (typeof(${column}) = 'text' AND octet_length(${column}) <= ${WORD_BYTES})
    THEN CAST(${column} AS TEXT) END AS ${column}`
}

/** Column names of this file only: they become SQL. */
type OutboundColumn = Lowercase<string>
