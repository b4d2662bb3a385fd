import { realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SessiondError } from '../../model/errors.ts'
import type { Database } from './database.ts'
import { readInstallId } from './migrate.ts'
import { isStoreMissing, openForReading, STORE_FILE } from './open-database.ts'

/** What made a data directory an install of its own. */
export interface RenewedInstall {
  readonly installId: string
  readonly formerId: string
  /** Runs it had on record as live: those of the directory it was copied from. */
  readonly runsGivenUp: number
}

/**
 * Throws DATA_DIR_COPIED when the directory the store was last opened for writing in still holds a store of the same
 * install: each of the two would take the other's containers and processes for its own. What was moved, restored at its
 * own place or has lost its original is no copy.
 */
export function refuseCopy(db: Database, dataDir: string): void {
  const place = readPlace(db)
  if (place === undefined || place === realpathSync(dataDir)) return
  const other = lookAtStore(place, dataDir, readInstallId(db))
  if (other === 'none') return
  const still = other === 'same-install' ? 'where its original still is' : 'where a store is that cannot be read'
  throw new SessiondError('DATA_DIR_COPIED', `${dataDir} comes from ${place}, ${still}.`, {
    fields: { dataDir, original: place },
  })
}

/** Keeps where the store is; writes nothing when that is on record. */
export function recordPlace(db: Database, dataDir: string): void {
  const place = realpathSync(dataDir)
  if (readPlace(db) !== place) writeMeta(db, 'data_dir', place)
}

/**
 * Makes a copy an install of its own. Its live runs lose their handles, which name what belongs to the original: the next
 * host finds nothing under their names and does their work anew, spending no try.
 */
export function renewInstall(db: Database, dataDir: string, installId: string): RenewedInstall {
  db.exec('BEGIN IMMEDIATE')
  try {
    const formerId = readInstallId(db)
    writeMeta(db, 'install_id', installId)
    writeMeta(db, 'data_dir', realpathSync(dataDir))
    const runsGivenUp = db.run("UPDATE runs SET handle_runtime = NULL, handle_id = NULL WHERE state <> 'gone'")
    db.exec('COMMIT')
    return { installId, formerId, runsGivenUp }
  } catch (error) {
    db.rollback()
    throw error
  }
}

function readPlace(db: Database): string | undefined {
  return db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'data_dir'")?.value
}

function writeMeta(db: Database, key: string, value: string): void {
  const sql = 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value'
  db.run(sql, key, value)
}

/** What of an install stands in another directory; one that cannot be looked into may be its original. */
function lookAtStore(place: string, dataDir: string, installId: string): 'none' | 'same-install' | 'unreadable' {
  try {
    if (isStoreMissing(place) || isSameFile(join(place, STORE_FILE), join(dataDir, STORE_FILE))) return 'none'
    const db = openForReading(place)
    try {
      return readInstallId(db) === installId ? 'same-install' : 'none'
    } finally {
      db.close()
    }
  } catch {
    return 'unreadable'
  }
}

/** One directory may have two names: a link at its old place, a mount. */
function isSameFile(a: string, b: string): boolean {
  const [one, other] = [statSync(a), statSync(b)]
  return one.dev === other.dev && one.ino === other.ino
}
