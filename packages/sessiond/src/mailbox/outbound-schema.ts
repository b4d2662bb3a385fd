import type { DatabaseSync } from 'node:sqlite'
import { unsafe } from './inspect-outbound.ts'

export const OUTBOUND_TABLES = ['processing_ack', 'messages_out', 'container_state', 'session_state'] as const
export type OutboundTable = (typeof OUTBOUND_TABLES)[number]

/** The columns each table has; a table that is missing has none. */
export type OutboundColumns = Readonly<Record<OutboundTable, ReadonlySet<string>>>

const NAMES = OUTBOUND_TABLES.map((name) => `'${name}'`).join(', ')
const ENTRIES = `SELECT type, lower(name) AS name, lower(tbl_name) AS tbl_name, substr(sql, 1, 65536) AS sql
  FROM sqlite_schema WHERE lower(name) IN (${NAMES}) OR lower(tbl_name) IN (${NAMES}) LIMIT 65`

/**
 * Reads which tables and columns there are. Throws MAILBOX_UNSAFE when one of the names stands for anything but
 * a plain table (G5): a view, a virtual table, a trigger or a computed column can cost without end. Tables and
 * columns that are missing are tolerated: other runners have fewer.
 */
export function readOutboundSchema(db: DatabaseSync): OutboundColumns {
  const entries = db.prepare(ENTRIES).all()
  if (entries.length > 64) throw unsafe('the mailbox has too many indexes')
  const present = new Set<string>()
  for (const entry of entries) {
    if (entry.type === 'index') continue
    if (entry.type !== 'table' || !isPlainTable(entry.sql)) throw unsafe('a mailbox table is not a plain table')
    present.add(String(entry.name))
  }
  const columnsOf = (table: OutboundTable) => (present.has(table) ? readColumns(db, table) : new Set<string>())
  return {
    processing_ack: columnsOf('processing_ack'),
    messages_out: columnsOf('messages_out'),
    container_state: columnsOf('container_state'),
    session_state: columnsOf('session_state'),
  }
}

function isPlainTable(sql: unknown): boolean {
  return typeof sql === 'string' && /^CREATE TABLE\s/i.test(sql) && !/\bWITHOUT\s+ROWID\b/i.test(sql)
}

function readColumns(db: DatabaseSync, table: OutboundTable): ReadonlySet<string> {
  const columns = new Set<string>()
  for (const column of db.prepare(`PRAGMA table_xinfo(${table})`).all()) {
    if (column.hidden !== 0n) throw unsafe('a mailbox table has a computed column')
    columns.add(String(column.name).toLowerCase())
  }
  return columns
}
