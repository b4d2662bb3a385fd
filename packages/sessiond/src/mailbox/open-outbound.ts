import { DatabaseSync } from 'node:sqlite'
import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import { assertOpened, type OutboundFiles } from './inspect-outbound.ts'

/** How long a look waits for a writer's commit; longer is "busy", tried again by the caller. */
const BUSY_MS = 50

/** SQLite's memory in a reader process, whatever schema or rows it meets. */
const HEAP_BYTES = 64 * 1024 * 1024

/** No value, statement or expression a hostile schema brings is larger. */
export const OPEN_LIMITS = {
  length: 2 * PROTOCOL_LIMITS.contentBytes,
  sqlLength: 256 * 1024,
  column: 200,
  exprDepth: 100,
  compoundSelect: 10,
  vdbeOp: 25_000,
  attach: 0,
  triggerDepth: 1,
} as const

/** Opens a run's database read-only, with everything a hostile one could use turned off. */
export function openOutbound(files: OutboundFiles): DatabaseSync {
  const db = new DatabaseSync(files.path, {
    readOnly: true,
    timeout: BUSY_MS,
    // Integers beyond 2^53 must be read, to be refused, not to throw.
    readBigInts: true,
    enableForeignKeyConstraints: false,
    limits: OPEN_LIMITS,
  })
  try {
    assertOpened(files.db)
    db.exec(`PRAGMA hard_heap_limit=${HEAP_BYTES}; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;
      PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA query_only=ON`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}
