import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { freeBytesOf } from '../../../disk-figures.ts'
import { SessiondError } from '../../../model/errors.ts'
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

const CHECKPOINT = 'PRAGMA wal_checkpoint(PASSIVE)'

/** Brings what is in the log into the file, which only then gets shorter. Waits for nobody. */
export function checkpoint(db: Database): void {
  db.all(CHECKPOINT)
}

/** Rewritten in memory in well under a second, so that nobody waits for a start. */
const REWRITTEN_AT_A_START_BYTES = 64 * 1024 * 1024

/**
 * Rewrites, once, a store that was made before free pages could be given back: a small one at any start, in memory, one of
 * any size when `atAnySize`, by way of the system's folder for temporary files. What stands in the way (no room, no such
 * folder, someone else who has the store open) leaves it as it is: the next one tries again, and nothing else depends on it.
 */
export function enableGivingBack(db: Database, path: string, atAnySize: boolean): void {
  if (readNumber(db, 'auto_vacuum') === INCREMENTAL) return
  const isSmall = statSync(path).size <= REWRITTEN_AT_A_START_BYTES
  if (!(isSmall || atAnySize) || !hasRoomToRewrite(path)) return
  try {
    // Whoever has it open has it: a start does not wait for that.
    db.exec(`PRAGMA busy_timeout=0; PRAGMA temp_store=${isSmall ? 'MEMORY' : 'DEFAULT'}`)
    db.exec(`PRAGMA auto_vacuum=${INCREMENTAL}; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)`)
  } catch {
    // SQLite has undone what it had begun.
  } finally {
    db.exec('PRAGMA temp_store=DEFAULT')
  }
}

/** A copy of it goes into the log, and perhaps another beside it. */
function hasRoomToRewrite(path: string): boolean {
  return freeBytesOf(statfsSync(dirname(path))) >= 2 * statSync(path).size
}

/** What rows that go may make of the log. */
const MAX_LOG_BYTES = 64 * 1024 * 1024

/**
 * Bounds the log while rows go: as long as somebody reads an old state of the store (a backup that runs, say) nothing of
 * it can be used again, and on a disk that fills up it must not be what fills it. Throws STORE_BUSY.
 */
export function refuseLargeLog(db: Database, path: string): void {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) <= MAX_LOG_BYTES) return
  const { log = 0, checkpointed = 0 } = db.get<{ log: number; checkpointed: number }>(CHECKPOINT) ?? {}
  if (log <= checkpointed) return
  throw new SessiondError('STORE_BUSY', 'Somebody else has been reading the store for long, a backup perhaps.', {
    fields: { path },
    cure: 'Rows go once that has ended; until then the log of the store would only grow.',
  })
}
