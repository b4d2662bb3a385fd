import type { DatabaseSync } from 'node:sqlite'
import { readPlainTables } from '../mailbox/plain-tables.ts'
import { textOf, word } from './columns.ts'
import type { V1Record } from './installation.ts'
import { Unreadable } from './unreadable.ts'

/** More sessions or groups than any installation has. */
const MAX_ROWS = 200_000

/** Reads the sessions and groups on record. Throws Unreadable when the table that names the sessions is not there. */
export function readV1Record(db: DatabaseSync): V1Record {
  const { sessions, registered_groups } = readPlainTables(db, ['sessions', 'registered_groups'])
  if (!sessions.has('session_id')) throw new Unreadable('store/messages.db has no table of sessions with their ids.')
  const rows = db
    .prepare(
      `SELECT typeof(session_id) AS type, ${word(sessions, 'session_id')}, ${word(sessions, 'group_folder')}
       FROM sessions LIMIT ${MAX_ROWS + 1}`,
    )
    .all()
  if (rows.length > MAX_ROWS) throw new Unreadable(`store/messages.db has more than ${MAX_ROWS} sessions.`)
  return { sessions: rows.flatMap(parseSession), groups: readFolders(db, registered_groups) }
}

function parseSession(row: Record<string, unknown>): V1Record['sessions'] {
  const id = textOf(row.session_id)
  // A session whose id cannot be read holds on to files nobody could name.
  if (id === null && row.type !== 'null') throw new Unreadable('store/messages.db has a session whose id is no text.')
  return id === null || id === '' ? [] : [{ id, group: textOf(row.group_folder) ?? '' }]
}

function readFolders(db: DatabaseSync, has: ReadonlySet<string>): string[] {
  if (!has.has('folder')) return []
  const rows = db.prepare(`SELECT ${word(has, 'folder')} FROM registered_groups LIMIT ${MAX_ROWS}`).all()
  return rows.flatMap(({ folder }) => textOf(folder) ?? [])
}
