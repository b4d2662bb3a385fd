import { join } from 'node:path'
import { makeDatabase, setAge, writeAged } from './tree.ts'

/** One group of a v1 installation. */
export interface V1GroupPlan {
  readonly folder: string
  /** Id of its session; undefined: it has none on record. */
  readonly sessionId?: string
}

/** Where the Claude files of a group lie in a v1 tree. */
export function v1Claude(group: string): string {
  return `data/sessions/${group}/.claude`
}

/** Makes the databases of a v1 installation, as its host has them. */
export function makeV1(root: string, groups: readonly V1GroupPlan[]): void {
  const db = makeDatabase(
    join(root, 'store', 'messages.db'),
    `CREATE TABLE sessions (group_folder TEXT PRIMARY KEY, session_id TEXT NOT NULL);
     CREATE TABLE registered_groups (jid TEXT PRIMARY KEY, name TEXT NOT NULL, folder TEXT NOT NULL UNIQUE,
       trigger_pattern TEXT NOT NULL, added_at TEXT NOT NULL, container_config TEXT, requires_trigger INTEGER DEFAULT 1)`,
  )
  for (const { folder, sessionId } of groups) {
    db.prepare('INSERT INTO registered_groups VALUES (?, ?, ?, ?, ?, NULL, 1)').run(
      `${folder}@g.us`,
      folder,
      folder,
      '@Andy',
      '2026-01-01T00:00:00.000Z',
    )
    if (sessionId !== undefined) db.prepare('INSERT INTO sessions VALUES (?, ?)').run(folder, sessionId)
  }
  db.close()
}

/** Everything one session of a group leaves behind, all of it so many days old. */
export function leaveV1Files(root: string, group: string, id: string, days: number): void {
  const claude = v1Claude(group)
  writeAged(root, `${claude}/projects/-workspace-group/${id}.jsonl`, days)
  writeAged(root, `${claude}/projects/-workspace-group/${id}/tool-results/one.txt`, days)
  for (const folder of ['tool-results', '.']) setAge(join(root, claude, 'projects/-workspace-group', id, folder), days)
  writeAged(root, `${claude}/debug/${id}.txt`, days)
  writeAged(root, `${claude}/todos/${id}-agent-${id}.json`, days)
  writeAged(root, `${claude}/telemetry/1p_failed_events.${id}.9f6f.json`, days)
}
