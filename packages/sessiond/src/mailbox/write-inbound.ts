import type { DatabaseSync } from 'node:sqlite'
import type { AnswerRow, MessageInRow, RunRow } from '@sessiond/protocol'

const COLUMNS = [
  'id',
  'seq',
  'kind',
  'timestamp',
  'status',
  'process_after',
  'recurrence',
  'series_id',
  'tries',
  'trigger',
  'on_wake',
  'content',
  'platform_id',
  'channel_type',
  'thread_id',
  'source_session_id',
  'attempt',
  'brief',
] as const satisfies readonly (keyof MessageInRow)[]

const UPSERT = `INSERT INTO messages_in (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (id) DO UPDATE SET ${COLUMNS.slice(1)
    .map((column) => `${column} = excluded.${column}`)
    .join(', ')}`

export interface InboundChange {
  readonly upserts: readonly MessageInRow[]
  readonly deletes: readonly string[]
  readonly newAnswers: readonly AnswerRow[]
  readonly oldAnswers: readonly string[]
  readonly run: RunRow | null
}

/** Writes a change of `inbound.db` inside the caller's transaction. */
export function writeInbound(db: DatabaseSync, change: InboundChange): void {
  const remove = db.prepare('DELETE FROM messages_in WHERE id = ?')
  for (const id of change.deletes) remove.run(id)
  const upsert = db.prepare(UPSERT)
  for (const row of change.upserts) upsert.run(...COLUMNS.map((column) => row[column]))
  const forget = db.prepare('DELETE FROM answers WHERE request_id = ?')
  for (const id of change.oldAnswers) forget.run(id)
  const answer = db.prepare('INSERT OR REPLACE INTO answers (request_id, status, text) VALUES (?, ?, ?)')
  for (const { request_id, status, text } of change.newAnswers) answer.run(request_id, status, text)
  if (change.run !== null) writeRun(db, change.run)
}

function writeRun(db: DatabaseSync, run: RunRow): void {
  db.exec('DELETE FROM run')
  db.prepare('INSERT INTO run (epoch, granted_at, taken_seq, protocol, time_zone) VALUES (?, ?, ?, ?, ?)').run(
    run.epoch,
    run.granted_at,
    run.taken_seq,
    run.protocol,
    run.time_zone,
  )
}
