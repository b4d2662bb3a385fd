/** Both mailbox databases use a rollback journal: WAL's shared memory is not coherent across a VM mount. */
export const MAILBOX_PRAGMAS = 'PRAGMA journal_mode=DELETE; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;'

export const INBOUND_SCHEMA = `
CREATE TABLE IF NOT EXISTS messages_in (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending',
  process_after TEXT,
  recurrence TEXT,
  series_id TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  trigger INTEGER NOT NULL DEFAULT 1,
  on_wake INTEGER NOT NULL DEFAULT 0,
  content TEXT NOT NULL,
  platform_id TEXT,
  channel_type TEXT,
  thread_id TEXT,
  source_session_id TEXT,
  attempt INTEGER NOT NULL DEFAULT 1,
  brief TEXT
);
CREATE TABLE IF NOT EXISTS delivered (
  message_out_id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  platform_message_id TEXT,
  delivered_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS answers (
  request_id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS run (
  epoch INTEGER NOT NULL,
  granted_at TEXT NOT NULL,
  taken_seq INTEGER NOT NULL DEFAULT 0,
  protocol INTEGER NOT NULL DEFAULT 1,
  time_zone TEXT
);
`

export const OUTBOUND_SCHEMA = `
CREATE TABLE IF NOT EXISTS processing_ack (
  message_id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  status_changed TEXT NOT NULL,
  epoch INTEGER,
  error TEXT,
  retry_at TEXT,
  attempt INTEGER,
  trouble TEXT
);
CREATE TABLE IF NOT EXISTS messages_out (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL UNIQUE,
  in_reply_to TEXT,
  timestamp TEXT NOT NULL,
  deliver_after TEXT,
  kind TEXT NOT NULL,
  content TEXT NOT NULL,
  epoch INTEGER,
  platform_id TEXT,
  channel_type TEXT,
  thread_id TEXT
);
CREATE TABLE IF NOT EXISTS container_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  current_tool TEXT,
  tool_declared_timeout_ms INTEGER,
  tool_expected_ms INTEGER,
  tool_started_at TEXT,
  progress_at TEXT,
  progress_seq INTEGER,
  open_work TEXT,
  updated_at TEXT
);
CREATE TABLE IF NOT EXISTS session_state (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
`
