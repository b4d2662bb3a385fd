import { join } from 'node:path'
import { SessiondError } from '../model/errors.ts'
import { takeWithin, tryFileLock } from '../store/file-lock.ts'
import { realWorld, type World } from '../world.ts'

const LOCK_FILE = 'prune.lock'

export interface LockOptions {
  readonly world?: Pick<World, 'monotonicMs' | 'setTimer'>
  /** Another one holds the lock, and is waited for. */
  readonly onWait?: () => void
  /** Ends the waiting: its reason is thrown. */
  readonly interrupted?: AbortSignal
}

/**
 * Does `work` while no other process, nor another call in this one, does any under the same folder. The lock is the
 * operating system's: whoever dies lets go of it. Throws PRUNE_BUSY when another one is still at it after `waitMs`;
 * DATA_DIR_UNUSABLE when there can be no lock file.
 */
export async function withPruneLock<T>(
  dir: string,
  waitMs: number,
  work: () => Promise<T>,
  { world = realWorld, onWait, interrupted }: LockOptions = {},
): Promise<T> {
  let isWaiting = false
  const tryTaking = () => {
    // Waiting must not block the process, so it is not left to the lock.
    const taken = tryFileLock(join(dir, LOCK_FILE), 0, dir)
    if (taken !== null) return taken
    interrupted?.throwIfAborted()
    if (!isWaiting) onWait?.()
    isWaiting = true
    return null
  }
  const lock = await takeWithin(waitMs, tryTaking, world)
  if (lock === null) throw pruneBusy(dir)
  try {
    return await work()
  } finally {
    lock.release()
  }
}

export function pruneBusy(dir: string): SessiondError {
  return new SessiondError('PRUNE_BUSY', `Something else prunes under ${dir}.`, { fields: { dir } })
}
