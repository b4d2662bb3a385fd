import type { DatabaseSync } from 'node:sqlite'
import { readPlainTables } from '../mailbox/plain-tables.ts'
import { textOf, word } from './columns.ts'
import type { V2Group, V2Record, V2Session } from './installation.ts'
import { Unreadable } from './unreadable.ts'

/** More sessions than any installation has. */
const MAX_ROWS = 200_000

/** Reads sessions and agent groups on record. Throws Unreadable when the table that names the sessions is not there. */
export function readV2Record(db: DatabaseSync): V2Record {
  const { sessions, agent_groups } = readPlainTables(db, ['sessions', 'agent_groups'])
  if (!sessions.has('id') || !sessions.has('agent_group_id')) {
    throw new Unreadable('data/v2.db has no table of sessions with their agent groups.')
  }
  return { sessions: readSessions(db, sessions), groups: readGroups(db, agent_groups) }
}

function readSessions(db: DatabaseSync, has: ReadonlySet<string>): V2Session[] {
  const columns = ['id', 'agent_group_id', 'status', 'container_status', 'created_at', 'last_active'] as const
  const rows = db
    .prepare(`SELECT ${columns.map((column) => word(has, column)).join(', ')} FROM sessions LIMIT ${MAX_ROWS + 1}`)
    .all()
  if (rows.length > MAX_ROWS) throw new Unreadable(`data/v2.db has more than ${MAX_ROWS} sessions.`)
  return rows.map((row) => {
    const [id, group] = [textOf(row.id), textOf(row.agent_group_id)]
    // A session that cannot be named cannot be protected either.
    if (id === null || group === null) throw new Unreadable('data/v2.db has a session whose id or group is no text.')
    return {
      id,
      group,
      status: textOf(row.status),
      containerStatus: textOf(row.container_status),
      createdAt: textOf(row.created_at),
      lastActive: textOf(row.last_active),
    }
  })
}

function readGroups(db: DatabaseSync, has: ReadonlySet<string>): V2Group[] {
  if (!has.has('id')) return []
  const rows = db
    .prepare(
      `SELECT ${word(has, 'id')}, ${word(has, 'name')}, ${word(has, 'folder')} FROM agent_groups LIMIT ${MAX_ROWS}`,
    )
    .all()
  return rows.flatMap((row) => {
    const id = textOf(row.id)
    return id === null ? [] : [{ id, name: textOf(row.name), folder: textOf(row.folder) }]
  })
}
