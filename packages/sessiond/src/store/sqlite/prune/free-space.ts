import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { hasCode } from '../../../model/errors.ts'
import type { Database } from '../database.ts'
import { CHECKPOINT_PAGES } from '../open-database.ts'

/** `PRAGMA auto_vacuum`: free pages can be given back one by one. */
const INCREMENTAL = 2

/** Pages given back in one transaction: some milliseconds. */
const PAGES = 128

function readNumber(db: Database, pragma: 'auto_vacuum' | 'freelist_count'): number {
  return Number(Object.values(db.get<Record<string, number>>(`PRAGMA ${pragma}`) ?? {})[0] ?? 0)
}

/** Whether there are free pages, in a file that can do without them. */
export function hasFreePages(db: Database): boolean {
  return readNumber(db, 'auto_vacuum') === INCREMENTAL && readNumber(db, 'freelist_count') > 0
}

/** Cuts the next free pages off the end of the file, moving what lies behind them. */
export function cutFreePages(db: Database): void {
  db.exec(`PRAGMA incremental_vacuum(${PAGES})`)
}

/** Rows that go touch many pages each: fewer of them are gathered, so that bringing them into the file takes no longer. */
const PRUNING_CHECKPOINT_PAGES = 1_000

/** Makes checkpoints smaller, and come more often, or as they were. */
export function checkpointOften(db: Database, isOften: boolean): void {
  db.exec(`PRAGMA wal_autocheckpoint=${isOften ? PRUNING_CHECKPOINT_PAGES : CHECKPOINT_PAGES}`)
}

/** Brings what is in the log into the file, which only then gets shorter. Waits for nobody. */
export function checkpoint(db: Database): void {
  db.all('PRAGMA wal_checkpoint(PASSIVE)')
}

/**
 * Rewrites, once, a store that was made before free pages could be given back. Skipped where the disk has less room than
 * that takes at its worst, or someone else has the store open: the next start tries again, and nothing else depends on it.
 */
export function enableGivingBack(db: Database, path: string, translate: (error: unknown) => unknown): void {
  if (readNumber(db, 'auto_vacuum') === INCREMENTAL || !hasRoomToRewrite(path)) return
  try {
    db.exec(`PRAGMA auto_vacuum=${INCREMENTAL}; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)`)
  } catch (error) {
    if (!hasCode(translate(error), 'DISK_FULL', 'STORE_BUSY')) throw error
  }
}

/** A copy beside it and one in the log. */
function hasRoomToRewrite(path: string): boolean {
  const { bavail, bsize } = statfsSync(dirname(path))
  return bavail * bsize >= 2 * statSync(path).size
}
