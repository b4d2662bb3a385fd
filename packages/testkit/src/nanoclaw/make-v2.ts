import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { makeDatabase, setAge, writeAged } from './tree.ts'

export interface V2SessionPlan {
  readonly group: string
  readonly id: string
  readonly status?: string
  readonly containerStatus?: string
}

/** Makes the central database of a v2 installation; gives it, open. */
export function makeV2(root: string, sessions: readonly V2SessionPlan[]): DatabaseSync {
  const db = makeDatabase(
    join(root, 'data', 'v2.db'),
    `PRAGMA journal_mode=WAL;
     CREATE TABLE agent_groups (id TEXT PRIMARY KEY, name TEXT NOT NULL, folder TEXT NOT NULL UNIQUE, agent_provider TEXT,
       created_at TEXT NOT NULL);
     CREATE TABLE sessions (id TEXT PRIMARY KEY, agent_group_id TEXT NOT NULL REFERENCES agent_groups(id),
       messaging_group_id TEXT, thread_id TEXT, agent_provider TEXT, status TEXT DEFAULT 'active',
       container_status TEXT DEFAULT 'stopped', last_active TEXT, created_at TEXT NOT NULL)`,
  )
  for (const session of sessions) addV2Session(db, session)
  return db
}

/** One more session on record. */
export function addV2Session(db: DatabaseSync, { group, id, status, containerStatus }: V2SessionPlan): void {
  db.prepare('INSERT OR IGNORE INTO agent_groups VALUES (?, ?, ?, NULL, ?)').run(group, group, group, WHEN)
  db.prepare(
    `INSERT INTO sessions (id, agent_group_id, status, container_status, created_at) VALUES (?, ?, ?, ?, ?)`,
  ).run(id, group, status ?? 'active', containerStatus ?? 'stopped', WHEN)
}

const WHEN = '2026-01-01T00:00:00.000Z'

/** Folder of a session, below the root. */
export function v2Session(group: string, id: string): string {
  return `data/v2-sessions/${group}/${id}`
}

/** Where the Claude files of a group lie in a v2 tree. */
export function v2Claude(group: string): string {
  return `data/v2-sessions/${group}/.claude-shared`
}

export interface V2Message {
  readonly id: string
  readonly status?: string
  readonly timestamp?: string
  readonly processAfter?: string | null
  readonly recurrence?: string | null
  readonly seriesId?: string | null
  readonly tries?: number
  readonly trigger?: number
  readonly onWake?: number
}

export interface V2Mailbox {
  readonly messages?: readonly V2Message[]
  readonly claims?: readonly { readonly messageId: string; readonly status?: string; readonly changedAt: string }[]
  readonly replies?: readonly string[]
  readonly delivered?: readonly string[]
  /** Rows of `session_state`. */
  readonly state?: Readonly<Record<string, string>>
  readonly tool?: { readonly name: string; readonly timeoutMs: number | null; readonly startedAt: string }
}

/** Makes a session's folder with its two databases, as its host and its container have them. */
export function makeV2Mailbox(root: string, group: string, id: string, mailbox: V2Mailbox = {}): void {
  const folder = join(root, v2Session(group, id))
  mkdirSync(folder, { recursive: true })
  makeInbound(join(folder, 'inbound.db'), mailbox)
  makeOutbound(join(folder, 'outbound.db'), mailbox)
}

function makeInbound(path: string, { messages = [], delivered = [] }: V2Mailbox): void {
  const db = makeDatabase(
    path,
    `CREATE TABLE messages_in (id TEXT PRIMARY KEY, seq INTEGER UNIQUE, kind TEXT NOT NULL, timestamp TEXT NOT NULL,
       status TEXT DEFAULT 'pending', process_after TEXT, recurrence TEXT, series_id TEXT, tries INTEGER DEFAULT 0,
       trigger INTEGER NOT NULL DEFAULT 1, platform_id TEXT, channel_type TEXT, thread_id TEXT, content TEXT NOT NULL,
       source_session_id TEXT, on_wake INTEGER NOT NULL DEFAULT 0);
     CREATE TABLE delivered (message_out_id TEXT PRIMARY KEY, platform_message_id TEXT,
       status TEXT NOT NULL DEFAULT 'delivered', delivered_at TEXT NOT NULL)`,
  )
  const insert = db.prepare(
    `INSERT INTO messages_in (id, seq, kind, timestamp, status, process_after, recurrence, series_id, tries, trigger, on_wake, content)
     VALUES (?, ?, 'chat', ?, ?, ?, ?, ?, ?, ?, ?, '{}')`,
  )
  for (const [index, message] of messages.entries()) {
    const {
      id,
      status = 'pending',
      timestamp = WHEN,
      processAfter = null,
      recurrence = null,
      seriesId = null,
    } = message
    const { tries = 0, trigger = 1, onWake = 0 } = message
    const seq = 2 * index + 2
    insert.run(id, seq, timestamp, status, processAfter, recurrence, seriesId, tries, trigger, onWake)
  }
  for (const reply of delivered) {
    db.prepare("INSERT INTO delivered VALUES (?, NULL, 'delivered', ?)").run(reply, WHEN)
  }
  db.close()
}

function makeOutbound(path: string, { claims = [], replies = [], state = {}, tool }: V2Mailbox): void {
  const db = makeDatabase(
    path,
    `CREATE TABLE messages_out (id TEXT PRIMARY KEY, seq INTEGER UNIQUE, in_reply_to TEXT, timestamp TEXT NOT NULL,
       deliver_after TEXT, recurrence TEXT, kind TEXT NOT NULL, platform_id TEXT, channel_type TEXT, thread_id TEXT,
       content TEXT NOT NULL);
     CREATE TABLE processing_ack (message_id TEXT PRIMARY KEY, status TEXT NOT NULL, status_changed TEXT NOT NULL);
     CREATE TABLE session_state (key TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at TEXT NOT NULL);
     CREATE TABLE container_state (id INTEGER PRIMARY KEY CHECK (id = 1), current_tool TEXT,
       tool_declared_timeout_ms INTEGER, tool_started_at TEXT, updated_at TEXT NOT NULL)`,
  )
  for (const { messageId, status = 'processing', changedAt } of claims) {
    db.prepare('INSERT INTO processing_ack VALUES (?, ?, ?)').run(messageId, status, changedAt)
  }
  for (const [index, reply] of replies.entries()) {
    db.prepare(`INSERT INTO messages_out (id, seq, timestamp, kind, content) VALUES (?, ?, ?, 'chat', '{}')`).run(
      reply,
      2 * index + 1,
      WHEN,
    )
  }
  for (const [key, value] of Object.entries(state)) {
    db.prepare('INSERT INTO session_state VALUES (?, ?, ?)').run(key, value, WHEN)
  }
  if (tool !== undefined) {
    db.prepare('INSERT INTO container_state VALUES (1, ?, ?, ?, ?)').run(
      tool.name,
      tool.timeoutMs,
      tool.startedAt,
      WHEN,
    )
  }
  db.close()
}

/** Everything one conversation of a group leaves behind, all of it so many days old. */
export function leaveV2Files(root: string, group: string, id: string, days: number): void {
  const claude = v2Claude(group)
  writeAged(root, `${claude}/projects/-workspace-agent/${id}.jsonl`, days)
  writeAged(root, `${claude}/projects/-workspace-agent/${id}/tool-results/one.txt`, days)
  for (const folder of ['tool-results', '.']) setAge(join(root, claude, 'projects/-workspace-agent', id, folder), days)
  writeAged(root, `${claude}/debug/${id}.txt`, days)
  writeAged(root, `${claude}/todos/${id}-agent-${id}.json`, days)
  writeAged(root, `${claude}/telemetry/1p_failed_events.${id}.9f6f.json`, days)
}
