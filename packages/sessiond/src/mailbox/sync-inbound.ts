import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { INBOUND_DB } from '@sessiond/protocol'
import { fileStamp } from './file-stamp.ts'
import { assertHostAlive } from './host-alive.ts'
import { COMPANIONS, lookAt, lookCloselyAt } from './host-files.ts'
import type { SyncInput } from './operations.ts'
import { writeInbound } from './write-inbound.ts'

/** How long a commit waits for readers. A run may hold its read lock for ever, so it is short. */
const BUSY_MS = 50

/**
 * Writes a difference into the `inbound.db` this host left behind; returns the file's new stamp. Null when the
 * file is not that one any more, is damaged, or is held by a reader that does not let go: then it must be
 * replaced, which needs no lock.
 */
export function syncInbound(input: SyncInput): string | null {
  const path = join(input.paths.in, INBOUND_DB)
  // A journal this host did not leave may be forged and would be rolled in: look before opening.
  if (COMPANIONS.some((suffix) => lookAt(path + suffix) !== undefined)) return null
  if (stampAt(path) !== input.stamp) return null
  assertHostAlive()
  return writeDifference(path, input) ? stampAt(path) : null
}

function writeDifference(path: string, input: SyncInput): boolean {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: BUSY_MS })
    // A projection: after a loss of power it is rebuilt, so no commit waits for the disk.
    db.exec('PRAGMA synchronous=OFF; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; BEGIN IMMEDIATE')
    writeInbound(db, input)
    db.exec('COMMIT')
    return true
  } catch (error) {
    // Only SQLite's own failures are cured by a new file; a full disk is met again, and named, while making it.
    if (error instanceof Error && Reflect.get(error, 'code') === 'ERR_SQLITE_ERROR') return false
    throw error
  } finally {
    // Closing rolls back what was not committed, and with it removes the journal.
    db?.close()
  }
}

function stampAt(path: string): string | null {
  const seen = lookCloselyAt(path)
  return seen === undefined ? null : fileStamp(seen)
}
