import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { INBOUND_DB } from '@sessiond/protocol'
import { COMPANIONS, lookAt } from './host-files.ts'
import type { SessionPaths } from './mailbox.ts'

/** How long a look waits for the lock of a host that died in a commit; nobody else writes there. */
const BUSY_MS = 50

/**
 * Ids of the messages a run has in hand, at most `limit`, as the host last wrote them to its `inbound.db`. None when that
 * file cannot be read now: it is about to be rebuilt.
 */
export function readWindowIds(paths: SessionPaths, limit: number): string[] {
  const path = join(paths.in, INBOUND_DB)
  // A journal there is not this host's and would be rolled in; a link or a pipe may be where a run shares its user.
  if (COMPANIONS.some((suffix) => lookAt(path + suffix) !== undefined) || !lookAt(path)?.isFile()) return []
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS })
    db.exec('PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; PRAGMA query_only=ON')
    return db
      .prepare('SELECT id FROM messages_in ORDER BY seq LIMIT ?')
      .all(limit)
      .map((row) => String(row.id))
  } catch {
    // Damaged or locked: the newest acknowledgements are read all the same, the others at a later look.
    return []
  } finally {
    db?.close()
  }
}
