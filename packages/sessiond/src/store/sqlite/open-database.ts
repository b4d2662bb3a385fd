import { chmodSync, closeSync, openSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SessiondError } from '../../model/errors.ts'
import { Database } from './database.ts'

export const STORE_FILE = 'store.db'
const SESSIONS_DIR = 'sessions'

/** How long opening waits for another process that opens or migrates. */
const OPEN_BUSY_MS = 5_000
/** How long an operation waits, blocking the host: only a foreign program can hold the store at all. */
const BUSY_MS = 500

/** Rarer checkpoints write a page once that many commits touched; a log of 16 MB is read back at a start in no time. */
export const CHECKPOINT_PAGES = 4_000

/** A log that outgrew this by a burst is cut back at the next checkpoint. */
const WAL_KEEP_BYTES = 16 * 1024 * 1024

/**
 * Opens the store for writing, creating an empty file of mode 0600 when there is none. Refuses (STORE_BROKEN) to
 * begin anew where sessions exist: a lost or emptied store must not pass for a fresh install.
 */
export function openForWriting(dataDir: string): Database {
  const path = join(dataDir, STORE_FILE)
  if (isMissingOrEmpty(path)) refuseBesideSessions(dataDir)
  createPrivately(path)
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
  const db = new Database(path, { readOnly: false, busyTimeoutMs: OPEN_BUSY_MS })
  try {
    // Said before the first page is written, and never again: where it holds already, saying so writes.
    if (db.get<{ page_count: number }>('PRAGMA page_count')?.page_count === 0) db.exec('PRAGMA auto_vacuum=INCREMENTAL')
    db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0')
    db.exec(
      `PRAGMA journal_size_limit=${WAL_KEEP_BYTES}; PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=${CHECKPOINT_PAGES}`,
    )
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** SQLite gives its -wal and -shm the mode of the database, so the file is made before SQLite sees it. */
function createPrivately(path: string): void {
  // Never opens one that is there: closing it would drop the locks this process may hold on it.
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** From now on a busy store is reported soon instead of waited for. */
export function stopWaiting(db: Database): void {
  db.exec(`PRAGMA busy_timeout=${BUSY_MS}`)
}

/** Opens an existing store so that nothing can be written through it: never creates, never migrates (C8). */
export function openForReading(dataDir: string): Database {
  refuseMissing(dataDir)
  return new Database(join(dataDir, STORE_FILE), { readOnly: true, busyTimeoutMs: BUSY_MS })
}

/** Throws DATA_DIR_UNUSABLE where there is no store, having touched nothing. */
export function refuseMissing(dataDir: string): void {
  if (!isMissingOrEmpty(join(dataDir, STORE_FILE))) return
  throw new SessiondError('DATA_DIR_UNUSABLE', `There is no store in ${dataDir}.`, {
    fields: { dataDir },
    cure: 'Start the host once with `sessiond up`, or name its data directory.',
  })
}

/** Whether there is no store, or only the empty file a store begins as or was lost to. */
export function isMissingOrEmpty(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  // An empty file beside a log is a store whose first checkpoint is still to come.
  return (
    stats === undefined || (stats.size === 0 && (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0)
  )
}

function refuseBesideSessions(dataDir: string): void {
  const sessions = join(dataDir, SESSIONS_DIR)
  if (statSync(sessions, { throwIfNoEntry: false }) === undefined) return
  // A volume mounted there brings its own folder; no group can have that name.
  if (readdirSync(sessions).every((name) => name === 'lost+found')) return
  throw new SessiondError('STORE_BROKEN', `${dataDir} has sessions, but its store.db is missing or empty.`, {
    fields: { dataDir },
    cure: 'Restore store.db from a backup, or move the folder sessions/ away to begin anew.',
  })
}
