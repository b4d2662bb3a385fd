import type { Database } from '../database.ts'
import { groupOf } from '../rows.ts'

/** A session's zone: its own, else its group's, else the host's. */
export function zoneOfSession(db: Database, sessionId: string): string {
  const own = db.get<{ time_zone: string | null }>('SELECT time_zone FROM sessions WHERE id = ?', sessionId)?.time_zone
  return own ?? zoneOfGroup(db, groupOf(sessionId))
}

/** A group that has left the configuration keeps the zone it had. */
function zoneOfGroup(db: Database, group: string): string {
  const sql = 'SELECT time_zone FROM group_zones WHERE group_name = ?'
  return db.get<{ time_zone: string }>(sql, group)?.time_zone ?? 'UTC'
}
