import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SessiondError } from '../model/errors.ts'
import { translateError } from './sqlite/translate-error.ts'

/** Who holds a data directory, as it says itself: for messages and to find its API, never to decide who is alive. */
export interface LockHolder {
  readonly pid: number
  readonly startedAtMs: number
  readonly version: string
  /** Null until the API listens. */
  readonly apiUrl: string | null
}

export interface SeenHolder extends LockHolder {
  readonly hostName: string
}

export interface HostLock {
  /** Tells others more about the holder. */
  update(holder: LockHolder): Promise<void>
  /** Idempotent. */
  release(): Promise<void>
}

const LOCK_FILE = 'host.lock'
const HOLDER_FILE = 'host.lock.json'

/** Long enough to ride over someone who is just asking whether the lock is held. */
const ACQUIRE_MS = 300
const HOLDER_CHARS = 4_096

/**
 * Makes this process the one host of a data directory until `release`, or until it ends in whatever way: the lock is
 * the operating system's, so there is no stale one to guess about. Throws DATA_DIR_LOCKED naming the holder.
 */
export async function acquireHostLock(dataDir: string, holder: LockHolder): Promise<HostLock> {
  const lock = takeLock(dataDir)
  try {
    writeHolder(dataDir, holder)
  } catch (error) {
    lock.close()
    throw translateError(error, dataDir)
  }
  let isHeld = true
  return {
    async update(next) {
      if (isHeld) writeHolder(dataDir, next)
    },
    async release() {
      if (!isHeld) return
      isHeld = false
      // Before the lock: afterwards the file may be the next holder's.
      rmSync(join(dataDir, HOLDER_FILE), { force: true })
      lock.close()
    },
  }
}

/** Tells whether a host holds the directory right now, and what it, or the last one, said of itself. */
export async function readHolder(
  dataDir: string,
): Promise<{ readonly isHeld: boolean; readonly holder: SeenHolder | null }> {
  return { isHeld: isLockHeld(dataDir), holder: readHolderFile(dataDir) }
}

function takeLock(dataDir: string): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    createLockFile(dataDir)
    lock = new DatabaseSync(join(dataDir, LOCK_FILE), { timeout: ACQUIRE_MS })
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    const ours = translateError(error, dataDir)
    throw ours instanceof SessiondError && ours.code === 'STORE_BUSY' ? lockedError(dataDir, error) : ours
  }
}

/**
 * The lock file is opened by SQLite alone. POSIX locks go when the process closes *any* descriptor of the file, so
 * even looking into it by other means would let go of a lock this process holds.
 */
function createLockFile(dataDir: string): void {
  try {
    closeSync(openSync(join(dataDir, LOCK_FILE), 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

function lockedError(dataDir: string, cause: unknown): SessiondError {
  const holder = readHolderFile(dataDir)
  const who =
    holder === null
      ? 'another process'
      : `process ${holder.pid} on ${holder.hostName}, started ${new Date(holder.startedAtMs).toISOString()}${
          holder.apiUrl === null ? '' : `, API ${holder.apiUrl}`
        }`
  const { pid, hostName, startedAtMs, apiUrl } = holder ?? {}
  return new SessiondError('DATA_DIR_LOCKED', `The data directory ${dataDir} is in use by ${who}.`, {
    fields: { dataDir, pid, hostName, startedAtMs, apiUrl },
    cause,
  })
}

function isLockHeld(dataDir: string): boolean {
  let probe: DatabaseSync | undefined
  try {
    probe = new DatabaseSync(join(dataDir, LOCK_FILE), { readOnly: true, timeout: 0 })
    probe.exec('SELECT count(*) FROM sqlite_schema')
    return false
  } catch (error) {
    const ours = translateError(error, dataDir)
    if (ours instanceof SessiondError && ours.code === 'STORE_BUSY') return true
    // No lock file: nobody has ever been here, or the directory is not there.
    if (ours instanceof SessiondError && ours.code === 'DATA_DIR_UNUSABLE') return false
    throw ours
  } finally {
    probe?.close()
  }
}

function writeHolder(dataDir: string, holder: LockHolder): void {
  const path = join(dataDir, HOLDER_FILE)
  const { pid, startedAtMs, version, apiUrl } = holder
  const text = JSON.stringify({ pid, hostName: hostname(), startedAtMs, version, apiUrl })
  // Renamed into place, so that a reader never sees half of it.
  writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Null when there is none or it cannot be made sense of; who holds the lock is then unknown, not nobody. */
function readHolderFile(dataDir: string): SeenHolder | null {
  try {
    return parseHolder(JSON.parse(readFileSync(join(dataDir, HOLDER_FILE), 'utf8').slice(0, HOLDER_CHARS)))
  } catch {
    return null
  }
}

function parseHolder(value: unknown): SeenHolder | null {
  if (typeof value !== 'object' || value === null) return null
  const { pid, hostName, startedAtMs, version, apiUrl } = value as Record<string, unknown>
  if (typeof pid !== 'number' || typeof startedAtMs !== 'number' || !Number.isFinite(startedAtMs)) return null
  return {
    pid,
    startedAtMs,
    hostName: typeof hostName === 'string' ? hostName : 'an unknown host',
    version: typeof version === 'string' ? version : 'unknown',
    apiUrl: typeof apiUrl === 'string' ? apiUrl : null,
  }
}
