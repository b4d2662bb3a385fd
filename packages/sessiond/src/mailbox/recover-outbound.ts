import { DatabaseSync } from 'node:sqlite'
import { type OutboundFiles, readPiece, unsafe } from './inspect-outbound.ts'
import { OPEN_LIMITS } from './open-outbound.ts'

/** Ends a journal that names a second file, which a rollback would look up and may delete. */
const SUPER_JOURNAL_END = Buffer.from('d9d505f920a163d7', 'hex')

/**
 * Lets SQLite roll back or check in what a killed run left half-done, and turns WAL off (C1, C5). Only after the
 * run's exit is confirmed: with a live writer this would tear its transaction apart.
 */
export function recoverOutbound(files: OutboundFiles): void {
  if (files.companions.includes('-journal')) refuseSuperJournal(`${files.path}-journal`)
  const db = new DatabaseSync(files.path, { timeout: 50, limits: OPEN_LIMITS })
  try {
    // Exclusive, so that a WAL index is rebuilt in memory instead of trusting the run's.
    db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON')
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    db.exec('PRAGMA journal_mode=DELETE')
  } finally {
    db.close()
  }
}

function refuseSuperJournal(path: string): void {
  const end = readPiece(path, null, -SUPER_JOURNAL_END.length, SUPER_JOURNAL_END.length)
  if (end.equals(SUPER_JOURNAL_END)) throw unsafe('the journal names another file')
}
