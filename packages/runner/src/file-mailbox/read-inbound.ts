import type { DatabaseSync } from 'node:sqlite'
import { describeError } from '../errors.ts'
import type { InboundLook } from '../mailbox-client.ts'
import { parseInboundMessage } from './inbound-message.ts'
import { loadSqlite } from './load-sqlite.ts'

/** A look, or why there was none this time. Not being readable says nothing about what is in the file. */
export type LookResult =
  | { readonly isRead: true; readonly look: InboundLook }
  | { readonly isRead: false; readonly because: string }

/** Longest wait for the host's commit. The event loop stands still meanwhile, so it is short; the next look is near. */
const BUSY_TIMEOUT_MS = 50

/**
 * Looks once at `inbound.db`: opens it read-only, reads one snapshot, closes it. Missing, empty, busy, waiting for
 * the host to roll its journal back, malformed: all are results, none throws and none reads as "no messages".
 */
export function readInbound(path: string): LookResult {
  let db: DatabaseSync | undefined
  try {
    db = new (loadSqlite().DatabaseSync)(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    db.exec('PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; BEGIN')
    return { isRead: true, look: readSnapshot(db) }
  } catch (error) {
    return { isRead: false, because: describeError(error) }
  } finally {
    db?.close()
  }
}

function readSnapshot(db: DatabaseSync): InboundLook {
  // A file without its tables is one the host has not finished: preparing the statement throws, which is right.
  const rows = db.prepare('SELECT * FROM messages_in ORDER BY seq').all()
  const run = hasRunTable(db) ? db.prepare('SELECT * FROM run LIMIT 1').get() : undefined
  const messages = rows.map(parseInboundMessage).filter((message) => message !== undefined)
  return {
    epoch: typeof run?.epoch === 'number' ? run.epoch : null,
    takenSeq: typeof run?.taken_seq === 'number' ? run.taken_seq : 0,
    timeZone: typeof run?.time_zone === 'string' ? run.time_zone : null,
    messages,
  }
}

function hasRunTable(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'run'").get() !== undefined
}
