import type { DatabaseSync } from 'node:sqlite'

/** Makes a transaction of an OutboundFile that spills early write its changed pages now: reading needs their room. */
export function spillPages(db: DatabaseSync): void {
  for (const table of ['container_state', 'session_state', 'messages_out', 'processing_ack']) {
    db.prepare(`SELECT count(*) FROM ${table}`).get()
  }
}
