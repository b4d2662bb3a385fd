import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { hasCode, SessiondError } from '../model/errors.ts'
import { giveUpReserve, makeReserve } from './disk-reserve.ts'
import { type FileLock, tryFileLock } from './file-lock.ts'
import { translateError } from './sqlite/translate-error.ts'

/** What a data directory may be held by, in words. */
export const NAME_OF_ROLE = { host: 'a host', pruner: 'a pruning', repairer: 'a repair' } as const
export type HolderRole = keyof typeof NAME_OF_ROLE

/** Who holds a data directory, as it says itself: for messages and to find its API, never to decide who is alive. */
export interface LockHolder {
  readonly role: HolderRole
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
 * the operating system's, so there is no stale one to guess about. On a full disk the room that was kept for that is
 * given up first; on any other some is kept. Throws DATA_DIR_LOCKED naming the holder.
 */
export async function acquireHostLock(dataDir: string, holder: LockHolder): Promise<HostLock> {
  const lock = takeLock(dataDir)
  giveUpReserve(dataDir)
  makeReserve(dataDir)
  try {
    writeHolder(dataDir, holder)
  } catch (error) {
    lock.release()
    throw error
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
      makeReserve(dataDir)
      lock.release()
    },
  }
}

/** Tells whether a host holds the directory right now, and what it, or the last one, said of itself. */
export async function readHolder(
  dataDir: string,
): Promise<{ readonly isHeld: boolean; readonly holder: SeenHolder | null }> {
  return { isHeld: isLockHeld(dataDir), holder: readHolderFile(dataDir) }
}

function takeLock(dataDir: string): FileLock {
  const lock = tryFileLock(join(dataDir, LOCK_FILE), ACQUIRE_MS, dataDir)
  if (lock === null) throw lockedError(dataDir)
  return lock
}

function lockedError(dataDir: string): SessiondError {
  const holder = readHolderFile(dataDir)
  const { role, pid, hostName, startedAtMs, apiUrl } = holder ?? {}
  return new SessiondError('DATA_DIR_LOCKED', `The data directory ${dataDir} is in use by ${describeHolder(holder)}.`, {
    fields: { dataDir, role, pid, hostName, startedAtMs, apiUrl },
    ...(role === undefined || role === 'host' ? {} : { cure: 'Try again once that has ended.' }),
  })
}

function describeHolder(holder: SeenHolder | null): string {
  if (holder === null) return 'another process'
  const { role, pid, hostName, startedAtMs, apiUrl } = holder
  const what = role === 'host' ? '' : `${NAME_OF_ROLE[role]}, `
  const api = apiUrl === null ? '' : `, API ${apiUrl}`
  return `${what}process ${pid} on ${hostName}, started ${new Date(startedAtMs).toISOString()}${api}`
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

/** On a full disk it stays unsaid who the holder is: that must not keep out who makes room. */
function writeHolder(dataDir: string, holder: LockHolder): void {
  const path = join(dataDir, HOLDER_FILE)
  const { role, pid, startedAtMs, version, apiUrl } = holder
  const text = JSON.stringify({ role, pid, hostName: hostname(), startedAtMs, version, apiUrl })
  try {
    // Renamed into place, so that a reader never sees half of it.
    writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch (error) {
    const ours = translateError(error, dataDir)
    if (!hasCode(ours, 'DISK_FULL')) throw ours
    // Nor that it is an earlier one.
    for (const each of [`${path}.new`, path]) rmSync(each, { force: true })
  }
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
  const { role, pid, hostName, startedAtMs, version, apiUrl } = value as Record<string, unknown>
  if (typeof pid !== 'number' || typeof startedAtMs !== 'number' || !Number.isFinite(startedAtMs)) return null
  return {
    role: role === 'pruner' || role === 'repairer' ? role : 'host',
    pid,
    startedAtMs,
    hostName: typeof hostName === 'string' ? hostName : 'an unknown host',
    version: typeof version === 'string' ? version : 'unknown',
    apiUrl: typeof apiUrl === 'string' ? apiUrl : null,
  }
}
