import type { DatabaseSync } from 'node:sqlite'
import { type AckStatus, formatOpenWork, formatTimestamp, type MessageKind } from '@sessiond/protocol'
import type { Ack, Claim, KnownAck, OutgoingReply, Prune, ReportedState } from '../mailbox-client.ts'

/** Which run writes, and when. */
export interface Stamp {
  readonly epoch: number
  readonly nowMs: number
}

/** Records that this run works on a message. */
export function writeClaim(db: DatabaseSync, claim: Claim, stamp: Stamp): void {
  writeAckRow(db, claim, { status: 'processing', error: null, retryAtMs: null, trouble: null }, stamp)
}

/** Records how the work on a message ended. */
export function writeAck(db: DatabaseSync, ack: Ack, stamp: Stamp): void {
  writeAckRow(db, ack, ack, stamp)
}

function writeAckRow(
  db: DatabaseSync,
  { messageId, attempt }: Claim,
  end: Pick<Ack, 'error' | 'retryAtMs' | 'trouble'> & { readonly status: AckStatus },
  { epoch, nowMs }: Stamp,
): void {
  db.prepare(
    `INSERT OR REPLACE INTO processing_ack (message_id, status, status_changed, epoch, error, retry_at, attempt, trouble)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    messageId,
    end.status,
    formatTimestamp(nowMs),
    epoch,
    end.error,
    timestampOrNull(end.retryAtMs),
    attempt,
    end.trouble,
  )
}

/** Adds a reply with the next odd seq above `afterSeq` and all there are; returns that seq. */
export function writeReply(db: DatabaseSync, reply: OutgoingReply, afterSeq: number, stamp: Stamp): number {
  return writeOut(db, reply, 'chat', afterSeq, stamp)
}

/** Adds a request to the host, in the same row of numbers. */
export function writeRequest(
  db: DatabaseSync,
  request: Pick<OutgoingReply, 'id' | 'content'>,
  afterSeq: number,
  stamp: Stamp,
): number {
  const address = { platformId: null, channelType: null, threadId: null }
  return writeOut(db, { ...request, inReplyTo: null, address }, 'system', afterSeq, stamp)
}

function writeOut(db: DatabaseSync, reply: OutgoingReply, kind: MessageKind, afterSeq: number, stamp: Stamp): number {
  // Inside the write transaction: nobody else can take the same seq between the look and the row.
  const highest = Number(db.prepare('SELECT max(seq) AS seq FROM messages_out').get()?.seq ?? 0)
  const seq = nextOdd(Math.max(highest, afterSeq))
  const { platformId, channelType, threadId } = reply.address
  db.prepare(
    `INSERT INTO messages_out
       (id, seq, in_reply_to, timestamp, kind, content, epoch, platform_id, channel_type, thread_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    reply.id,
    seq,
    reply.inReplyTo,
    formatTimestamp(stamp.nowMs),
    kind,
    reply.content,
    stamp.epoch,
    platformId,
    channelType,
    threadId,
  )
  return seq
}

/** Makes the one row of `container_state` say this. */
export function writeStateRow(db: DatabaseSync, state: ReportedState, nowMs: number): void {
  db.prepare(
    `INSERT OR REPLACE INTO container_state
       (id, current_tool, tool_declared_timeout_ms, tool_expected_ms, tool_started_at, progress_at, progress_seq, open_work,
        updated_at)
     VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    state.tool,
    state.toolDeclaredTimeoutMs,
    state.toolExpectedMs,
    timestampOrNull(state.toolStartedAtMs),
    timestampOrNull(state.progressAtMs),
    state.progressSeq,
    formatOpenWork(state.openWork),
    formatTimestamp(nowMs),
  )
}

/** Keeps one value of the session for the runs to come. */
export function writeSessionState(db: DatabaseSync, key: string, value: string, nowMs: number): void {
  db.prepare('INSERT OR REPLACE INTO session_state (key, value, updated_at) VALUES (?, ?, ?)').run(
    key,
    value,
    formatTimestamp(nowMs),
  )
}

/** Deletes what the host has taken; a claim still open is never deleted. */
export function deletePruned(db: DatabaseSync, { takenSeq, messageIds }: Prune): void {
  db.prepare('DELETE FROM messages_out WHERE seq <= ?').run(takenSeq)
  const deleteAck = db.prepare("DELETE FROM processing_ack WHERE message_id = ? AND status <> 'processing'")
  for (const messageId of messageIds) deleteAck.run(messageId)
}

/** Every acknowledgement in the file. */
export function readAcks(db: DatabaseSync): KnownAck[] {
  return db
    .prepare('SELECT message_id, status, epoch, attempt FROM processing_ack')
    .all()
    .map((row) => ({
      messageId: String(row.message_id),
      status: row.status === 'completed' || row.status === 'failed' ? row.status : 'processing',
      epoch: typeof row.epoch === 'number' ? row.epoch : null,
      attempt: typeof row.attempt === 'number' ? row.attempt : 1,
    }))
}

/** All the agent kept for its next run. */
export function readSessionState(db: DatabaseSync): Map<string, string> {
  const rows = db.prepare('SELECT key, value FROM session_state').all()
  return new Map(rows.map((row) => [String(row.key), String(row.value)]))
}

function nextOdd(seq: number): number {
  return seq % 2 === 0 ? seq + 1 : seq + 2
}

function timestampOrNull(ms: number | null): string | null {
  return ms === null ? null : formatTimestamp(ms)
}
