import type { DatabaseSync } from 'node:sqlite'
import { describeError } from '../errors.ts'
import { loadSqlite } from './load-sqlite.ts'

/** A look, or why there was none this time. Not being readable says nothing about what is in the file. */
export type LookResult<T> =
  | { readonly isRead: true; readonly look: T }
  | { readonly isRead: false; readonly because: string }

/** Longest wait for the host's commit. The event loop stands still meanwhile, so it is short; the next look is near. */
const BUSY_TIMEOUT_MS = 50

/**
 * Looks once at `inbound.db`: opens it read-only, has one snapshot read, closes it. Missing, empty, busy, waiting for
 * the host to roll its journal back, malformed: all are results, none throws and none reads as "no messages".
 */
export function lookAtInbound<T>(path: string, read: (db: DatabaseSync) => T): LookResult<T> {
  let db: DatabaseSync | undefined
  try {
    db = new (loadSqlite().DatabaseSync)(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    db.exec('PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; BEGIN')
    return { isRead: true, look: read(db) }
  } catch (error) {
    return { isRead: false, because: describeError(error) }
  } finally {
    db?.close()
  }
}
