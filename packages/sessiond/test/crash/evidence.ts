import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import type { JournalRecord } from '../../src/model/journal.ts'
import type { Witness } from './crash-runner.ts'

/** A message as the store's file has it in the end. */
export interface FinalMessage {
  readonly id: string
  readonly sessionId: string
  readonly status: string
  readonly tries: number
  readonly failure: string | null
  readonly isDead: boolean
}

export interface FinalReply {
  readonly id: string
  readonly sessionId: string
  /** Null: the host's own. */
  readonly epoch: number | null
  readonly inReplyTo: string | null
  readonly content: string
}

export interface FinalDelivery {
  readonly replyId: string
  readonly status: string
}

/** What a run asked of the host, and what came of it. */
export interface FinalRequest {
  readonly ordinal: number
  /** Null: not answered. */
  readonly status: string | null
}

/** Everything a finished case left on disk. */
export interface Evidence {
  readonly integrity: string
  readonly messages: readonly FinalMessage[]
  readonly replies: readonly FinalReply[]
  readonly deliveries: readonly FinalDelivery[]
  readonly requests: readonly FinalRequest[]
  readonly seriesIds: readonly string[]
  readonly journal: readonly JournalRecord[]
  readonly liveRuns: number
  readonly counts: ReadonlyMap<string, number>
  /** By session, in the order they happened. */
  readonly witnesses: ReadonlyMap<string, readonly Witness[]>
}

type Row = Record<string, SQLOutputValue>

/** Reads the files of a case whose hosts are all gone. */
export function readEvidence(dataDir: string): Evidence {
  const store = new DatabaseSync(join(dataDir, 'store.db'), { readOnly: true })
  const all = (sql: string): Row[] => store.prepare(sql).all()
  try {
    const sessions = all('SELECT id FROM sessions ORDER BY id').map(({ id }) => String(id))
    return {
      integrity: String(store.prepare('PRAGMA integrity_check').get()?.integrity_check),
      messages: all('SELECT * FROM messages ORDER BY session_id, seq').map(toMessage),
      replies: all('SELECT * FROM replies ORDER BY ordinal').map(toReply),
      deliveries: all('SELECT * FROM deliveries ORDER BY id').map(toDelivery),
      requests: all('SELECT * FROM requests ORDER BY ordinal').map(toRequest),
      seriesIds: all('SELECT id FROM series ORDER BY id').map(({ id }) => String(id)),
      journal: all('SELECT * FROM journal ORDER BY id').map(toRecord),
      liveRuns: Number(store.prepare("SELECT count(*) AS n FROM runs WHERE state <> 'gone'").get()?.n),
      counts: new Map(
        all("SELECT session_id, value FROM session_state WHERE key = 'count'").map((row) => [
          String(row.session_id),
          Number(row.value),
        ]),
      ),
      witnesses: new Map(sessions.map((id) => [id, readWitnesses(sessionDir(dataDir, id))])),
    }
  } finally {
    store.close()
  }
}

/** Where a session's files lie. */
export function sessionDir(dataDir: string, sessionId: string): string {
  return join(dataDir, 'sessions', sessionId)
}

function readWitnesses(dir: string): Witness[] {
  const path = join(dir, 'work', 'witness.log')
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Witness)
}

function toMessage(row: Row): FinalMessage {
  return {
    id: String(row.id),
    sessionId: String(row.session_id),
    status: String(row.status),
    tries: Number(row.tries),
    failure: textOrNull(row.failure),
    isDead: row.dead_letter === 1,
  }
}

function toReply(row: Row): FinalReply {
  return {
    id: String(row.id),
    sessionId: String(row.session_id),
    epoch: numberOrNull(row.epoch),
    inReplyTo: textOrNull(row.in_reply_to),
    content: String(row.content),
  }
}

function toDelivery(row: Row): FinalDelivery {
  return { replyId: String(row.reply_id), status: String(row.status) }
}

function toRequest(row: Row): FinalRequest {
  return { ordinal: Number(row.ordinal), status: textOrNull(row.status) }
}

function toRecord(row: Row): JournalRecord {
  return {
    id: Number(row.id),
    type: String(row.type) as JournalRecord['type'],
    atMs: Number(row.at_ms),
    sessionId: textOrNull(row.session_id),
    epoch: numberOrNull(row.epoch),
    messageId: textOrNull(row.message_id),
    detail: JSON.parse(String(row.detail)) as JournalRecord['detail'],
  }
}

function textOrNull(value: SQLOutputValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}

function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return value === null || value === undefined ? null : Number(value)
}
