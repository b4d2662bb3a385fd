import type { DatabaseSync } from 'node:sqlite'
import { unsafe } from './inspect-outbound.ts'

/** More indexes and triggers of these tables than any honest writer makes. */
const MAX_ENTRIES = 64

/**
 * Reads which columns each of these tables has; a table that is missing has none. Throws MAILBOX_UNSAFE when one of
 * the names stands for anything but a plain table (G5): a view, a virtual table, a trigger or a computed column can cost
 * without end. The connection must read integers as BigInt. `names` become SQL: literals of this program only.
 */
export function readPlainTables<Name extends string>(
  db: DatabaseSync,
  names: readonly Name[],
): Readonly<Record<Name, ReadonlySet<string>>> {
  const list = names.map((name) => `'${name}'`).join(', ')
  const entries = db
    .prepare(
      `SELECT type, lower(name) AS name, substr(sql, 1, 65536) AS sql
       FROM sqlite_schema WHERE lower(name) IN (${list}) OR lower(tbl_name) IN (${list}) LIMIT ${MAX_ENTRIES + 1}`,
    )
    .all()
  if (entries.length > MAX_ENTRIES) throw unsafe('the mailbox has too many indexes')
  const present = new Set<string>()
  for (const entry of entries) {
    if (entry.type === 'index') continue
    if (entry.type !== 'table' || !isPlainTable(entry.sql)) throw unsafe('a mailbox table is not a plain table')
    present.add(String(entry.name))
  }
  const columns = names.map((name) => [name, present.has(name) ? readColumns(db, name) : new Set<string>()] as const)
  return Object.fromEntries(columns) as Record<Name, ReadonlySet<string>>
}

function isPlainTable(sql: unknown): boolean {
  return typeof sql === 'string' && /^CREATE TABLE\s/i.test(sql) && !/\bWITHOUT\s+ROWID\b/i.test(sql)
}

function readColumns(db: DatabaseSync, table: string): ReadonlySet<string> {
  const columns = new Set<string>()
  for (const column of db.prepare(`PRAGMA table_xinfo(${table})`).all()) {
    if (column.hidden !== 0n) throw unsafe('a mailbox table has a computed column')
    columns.add(String(column.name).toLowerCase())
  }
  return columns
}
