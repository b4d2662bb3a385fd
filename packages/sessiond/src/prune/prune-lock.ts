import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { hasCode, SessiondError } from '../model/errors.ts'
import { translateError } from '../store/sqlite/translate-error.ts'
import { realWorld, type World } from '../world.ts'

const LOCK_FILE = 'prune.lock'
/** Between two tries: waiting must not block the process, so it is not left to the lock. */
const RETRY_MS = 100

/**
 * Does `work` while no other process, nor another call in this one, does any under the same folder. The lock is the
 * operating system's: whoever dies lets go of it. Throws PRUNE_BUSY when another one is still at it after `waitMs`;
 * DATA_DIR_UNUSABLE when there can be no lock file.
 */
export async function withPruneLock<T>(
  dir: string,
  waitMs: number,
  work: () => Promise<T>,
  world: Pick<World, 'monotonicMs' | 'setTimer'> = realWorld,
): Promise<T> {
  const lock = await acquire(dir, waitMs, world)
  try {
    return await work()
  } finally {
    lock.close()
  }
}

async function acquire(
  dir: string,
  waitMs: number,
  world: Pick<World, 'monotonicMs' | 'setTimer'>,
): Promise<DatabaseSync> {
  const beganMs = world.monotonicMs()
  for (;;) {
    const lock = tryLock(dir)
    if (lock !== null) return lock
    const leftMs = waitMs - (world.monotonicMs() - beganMs)
    if (leftMs <= 0) throw new SessiondError('PRUNE_BUSY', `Something else prunes under ${dir}.`, { fields: { dir } })
    await new Promise<void>((resolve) => world.setTimer(Math.min(RETRY_MS, leftMs), resolve))
  }
}

/** Null: somebody else has it. */
function tryLock(dir: string): DatabaseSync | null {
  let lock: DatabaseSync | undefined
  try {
    createLockFile(dir)
    lock = new DatabaseSync(join(dir, LOCK_FILE), { timeout: 0 })
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    const ours = translateError(error, dir)
    if (hasCode(ours, 'STORE_BUSY')) return null
    throw ours
  }
}

/** Opened by SQLite alone afterwards: closing any other descriptor of the file would let go of a lock held here. */
function createLockFile(dir: string): void {
  try {
    closeSync(openSync(join(dir, LOCK_FILE), 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
