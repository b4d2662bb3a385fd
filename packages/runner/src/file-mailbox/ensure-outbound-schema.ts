import type { DatabaseSync } from 'node:sqlite'
import { OUTBOUND_SCHEMA } from '@sessiond/protocol'
import { loadSqlite } from './load-sqlite.ts'

const TABLES = ['processing_ack', 'messages_out', 'container_state', 'session_state'] as const

/** Makes every table and column this runner writes, in a file of a host that knew fewer of them. */
export function ensureOutboundSchema(db: DatabaseSync): void {
  db.exec(OUTBOUND_SCHEMA)
  const wanted = new (loadSqlite().DatabaseSync)(':memory:')
  try {
    wanted.exec(OUTBOUND_SCHEMA)
    for (const table of TABLES) addMissingColumns(db, wanted, table)
  } finally {
    wanted.close()
  }
}

function addMissingColumns(db: DatabaseSync, wanted: DatabaseSync, table: string): void {
  const present = new Set(columnsOf(db, table).map(({ name }) => name))
  for (const { name, type } of columnsOf(wanted, table)) {
    if (!present.has(name)) db.exec(`ALTER TABLE ${table} ADD COLUMN ${name} ${type}`)
  }
}

function columnsOf(db: DatabaseSync, table: string): { name: string; type: string }[] {
  return db
    .prepare(`PRAGMA table_info(${table})`)
    .all()
    .map(({ name, type }) => ({ name: String(name), type: String(type) }))
}
