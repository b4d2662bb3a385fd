import type { JournalEntry, JournalRecord, JournalType } from '../../model/journal.ts'
import type { Store } from '../store.ts'
import type { Database, SqlValue } from './database.ts'

/** Longest detail of one line, in characters of JSON; a longer one is replaced by a note of its length. */
const DETAIL_CHARS = 16_384

/** Adds one line and returns its id. */
export function insertJournal(db: Database, entry: JournalEntry): number {
  return db.insert(
    'INSERT INTO journal (type, at_ms, session_id, epoch, message_id, detail) VALUES (?, ?, ?, ?, ?, ?)',
    entry.type,
    entry.atMs,
    entry.sessionId,
    entry.epoch,
    entry.messageId,
    detailText(entry.detail),
  )
}

function detailText(detail: JournalEntry['detail']): string {
  const text = JSON.stringify(detail)
  return text.length <= DETAIL_CHARS ? text : JSON.stringify({ cut: true, chars: text.length })
}

interface JournalRow {
  readonly id: number
  readonly type: string
  readonly at_ms: number
  readonly session_id: string | null
  readonly epoch: number | null
  readonly message_id: string | null
  readonly detail: string
}

/** Reads lines after `afterId`, ascending, each filter by its own index. */
export function readJournal(db: Database, query: Parameters<Store['readJournal']>[0]): JournalRecord[] {
  const { afterId, limit, ...about } = query
  const { where, values } = filterOf(about)
  const sql = `SELECT * FROM journal WHERE ${['id > ?', ...where].join(' AND ')} ORDER BY id LIMIT ?`
  return db.all<JournalRow>(sql, afterId, ...values, limit).map(toRecord)
}

/** Reads the newest lines, newest first. Those of an epoch are looked for among its session's, from the newest on. */
export function listJournal(db: Database, query: Parameters<Store['listJournal']>[0]): JournalRecord[] {
  const { limit, ...about } = query
  const { where, values } = filterOf(about)
  const sql = `SELECT * FROM journal WHERE ${['id > 0', ...where].join(' AND ')} ORDER BY id DESC LIMIT ?`
  return db.all<JournalRow>(sql, ...values, limit).map(toRecord)
}

interface JournalFilter {
  readonly sessionId?: string
  readonly epoch?: number
  readonly messageId?: string
}

function filterOf({ sessionId, epoch, messageId }: JournalFilter): { where: string[]; values: SqlValue[] } {
  const given = [
    ['session_id', sessionId],
    ['epoch', epoch],
    ['message_id', messageId],
  ] as const
  const used = given.flatMap(([column, value]) => (value === undefined ? [] : [{ column, value }]))
  return { where: used.map(({ column }) => `${column} = ?`), values: used.map(({ value }) => value) }
}

/** Newest id ever given; 0 before the first line. */
export function lastJournalId(db: Database): number {
  const row = db.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'journal'")
  return row?.seq ?? 0
}

function toRecord(row: JournalRow): JournalRecord {
  return {
    id: row.id,
    type: row.type as JournalType,
    atMs: row.at_ms,
    sessionId: row.session_id,
    epoch: row.epoch,
    messageId: row.message_id,
    detail: JSON.parse(row.detail) as JournalRecord['detail'],
  }
}
