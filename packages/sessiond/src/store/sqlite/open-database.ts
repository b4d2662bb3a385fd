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
 * begin anew where there was a store: a lost or emptied one must not pass for a fresh install.
 */
export function openForWriting(dataDir: string): Database {
  const path = join(dataDir, STORE_FILE)
  refuseLostStore(dataDir)
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

/**
 * Opens an existing store so that nothing can be written through it: never creates, never migrates (C8). Throws
 * STORE_BROKEN where one was lost, DATA_DIR_UNUSABLE where none has been.
 */
export function openForReading(dataDir: string): Database {
  refuseMissing(dataDir)
  return new Database(join(dataDir, STORE_FILE), { readOnly: true, busyTimeoutMs: BUSY_MS })
}

/** Throws STORE_BROKEN where a store was lost, DATA_DIR_UNUSABLE where none has been, having touched nothing. */
export function refuseMissing(dataDir: string): void {
  refuseLostStore(dataDir)
  if (!isStoreMissing(dataDir)) return
  throw new SessiondError('DATA_DIR_UNUSABLE', `There is no store in ${dataDir}.`, {
    fields: { dataDir },
    cure: 'Start the host once with `sessiond up`, or name its data directory.',
  })
}

/** Whether there is no store, or only the empty file one begins as or was lost to. */
export function isStoreMissing(dataDir: string): boolean {
  return (statSync(join(dataDir, STORE_FILE), { throwIfNoEntry: false })?.size ?? 0) === 0
}

/**
 * Throws STORE_BROKEN where a store was that is missing or empty now: sessions tell of it, or its log. SQLite would
 * delete the log beside an empty file, whoever opens that and however.
 */
export function refuseLostStore(dataDir: string): void {
  if (!isStoreMissing(dataDir)) return
  const what = whatIsLeft(dataDir)
  // Looked at once more: what is left may be of another process that has begun a store meanwhile.
  if (what === null || !isStoreMissing(dataDir)) return
  throw new SessiondError('STORE_BROKEN', `${dataDir} has ${what.called}, but its store.db is missing or empty.`, {
    fields: { dataDir },
    cure: `Restore store.db from a backup, or move ${what.names} away to begin anew.`,
  })
}

/** What only a store that was in use leaves; null: nothing of the kind. */
function whatIsLeft(dataDir: string): { readonly called: string; readonly names: string } | null {
  const log = `${STORE_FILE}-wal`
  const hasLog = (statSync(join(dataDir, log), { throwIfNoEntry: false })?.size ?? 0) > 0
  if (hasSessions(dataDir))
    return { called: 'sessions', names: hasLog ? `sessions/ and ${log}` : 'the folder sessions/' }
  return hasLog ? { called: `a log (${log})`, names: log } : null
}

function hasSessions(dataDir: string): boolean {
  const sessions = join(dataDir, SESSIONS_DIR)
  if (statSync(sessions, { throwIfNoEntry: false }) === undefined) return false
  // A volume mounted there brings its own folder; no group can have that name.
  return readdirSync(sessions).some((name) => name !== 'lost+found')
}
