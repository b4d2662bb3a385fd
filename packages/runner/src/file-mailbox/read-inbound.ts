import type { DatabaseSync } from 'node:sqlite'
import type { InboundLook } from '../mailbox-client.ts'
import { parseInboundMessage } from './inbound-message.ts'

/** Reads all a runner wants of one snapshot of `inbound.db`. */
export function readInbound(db: DatabaseSync): InboundLook {
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
