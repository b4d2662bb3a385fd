import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { hasCode } from '../model/errors.ts'
import type { World } from '../world.ts'
import { translateError } from './sqlite/translate-error.ts'

export interface FileLock {
  release(): void
}

/**
 * Takes the lock of a file, which is made when it is not there; null: somebody else has it, another call in this process
 * included, and still has it after `waitMs`, which block. The lock is the operating system's: whoever dies lets go of it.
 * Needs no room on the disk. Throws DATA_DIR_UNUSABLE when there can be no such file.
 */
export function tryFileLock(path: string, waitMs: number, dir: string): FileLock | null {
  let lock: DatabaseSync | undefined
  try {
    createPrivately(path)
    const db = new DatabaseSync(path, { timeout: waitMs })
    lock = db
    // In memory: a journal beside the file would need room, and a full disk is when a pruner must get in.
    db.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE')
    return { release: () => db.close() }
  } catch (error) {
    lock?.close()
    const ours = translateError(error, dir)
    if (hasCode(ours, 'STORE_BUSY')) return null
    throw ours
  }
}

/** Between two tries. */
const RETRY_MS = 100

/** Tries until something is had, for `waitMs` at most and once at least; null: it was not. */
export async function takeWithin<Taken>(
  waitMs: number,
  tryTaking: () => Taken | null | Promise<Taken | null>,
  world: Pick<World, 'monotonicMs' | 'setTimer'>,
): Promise<Taken | null> {
  const beganMs = world.monotonicMs()
  for (;;) {
    const taken = await tryTaking()
    if (taken !== null) return taken
    const leftMs = waitMs - (world.monotonicMs() - beganMs)
    if (leftMs <= 0) return null
    await new Promise<void>((resolve) => world.setTimer(Math.min(RETRY_MS, leftMs), resolve))
  }
}

/**
 * The file is opened by SQLite alone afterwards. POSIX locks go when the process closes *any* descriptor of the file, so
 * even looking into it by other means would let go of a lock this process holds.
 */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
