import { SessiondError } from '../../model/errors.ts'
import type { Database } from './database.ts'
import { MIGRATIONS } from './migrations.ts'

/** Version of the schema this code speaks. */
export const SCHEMA_VERSION: number = MIGRATIONS.length

/** Reads the schema's version of an open database; 0: nothing in it. */
export function readVersion(db: Database): number {
  return db.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0
}

/**
 * Brings the schema to this code's version, all steps in one transaction. Again is a no-op; a second process waits
 * for the first and finds nothing left to do. Throws DATA_DIR_NEWER, having written nothing, when newer code was here.
 */
export function migrate(db: Database, installId: () => string): void {
  if (readVersion(db) === SCHEMA_VERSION) return
  db.exec('BEGIN IMMEDIATE')
  try {
    // Read under the lock: another process may have migrated meanwhile.
    const version = readVersion(db)
    refuseNewer(version)
    for (const step of MIGRATIONS.slice(version)) db.exec(step)
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    db.run("INSERT INTO meta (key, value) VALUES ('install_id', ?) ON CONFLICT (key) DO NOTHING", installId())
    db.exec('COMMIT')
  } catch (error) {
    db.rollback()
    throw error
  }
}

/** Throws DATA_DIR_NEWER when `version` is beyond what this code speaks. */
export function refuseNewer(version: number): void {
  if (version <= SCHEMA_VERSION) return
  throw new SessiondError(
    'DATA_DIR_NEWER',
    `The data directory was written by a newer sessiond (schema ${version}; this one knows ${SCHEMA_VERSION}).`,
    { fields: { found: version, known: SCHEMA_VERSION } },
  )
}

/** Reads the install's identity, made with the store. */
export function readInstallId(db: Database): string {
  const row = db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'install_id'")
  if (row === undefined) throw new SessiondError('STORE_BROKEN', 'The store has no install id.')
  return row.value
}
