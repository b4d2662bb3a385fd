import type { DatabaseSync } from 'node:sqlite'
import { readPlainTables } from './plain-tables.ts'

export const OUTBOUND_TABLES = ['processing_ack', 'messages_out', 'container_state', 'session_state'] as const
export type OutboundTable = (typeof OUTBOUND_TABLES)[number]

/** The columns each table has; a table that is missing has none. */
export type OutboundColumns = Readonly<Record<OutboundTable, ReadonlySet<string>>>

/**
 * Reads which tables and columns there are. Throws MAILBOX_UNSAFE when one of the names stands for anything but a plain
 * table. Tables and columns that are missing are tolerated: other runners have fewer.
 */
export function readOutboundSchema(db: DatabaseSync): OutboundColumns {
  return readPlainTables(db, OUTBOUND_TABLES)
}
