/**
 * The store's schema, one step per version: step n brings a database from `user_version` n to n + 1. A step that was
 * released is never edited; a change is a new step. `schema.sql` is the dump of all of them, held by a test.
 *
 * Every partial index below serves one question whose answer is small (what is due, live, pending or dead), so that
 * its cost follows that work and never registered sessions or history. The columns for series stand ready and unused.
 */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  group_name TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
  created_at_ms INTEGER NOT NULL,
  closed_at_ms INTEGER,
  epoch INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER NOT NULL DEFAULT 0,
  spawn_failures INTEGER NOT NULL DEFAULT 0,
  spawn_not_before_ms INTEGER NOT NULL DEFAULT 0,
  last_spawn_error TEXT
) STRICT;
-- Ids name directories, and a file system may not tell case apart.
CREATE UNIQUE INDEX sessions_nocase ON sessions (id COLLATE NOCASE);
CREATE INDEX sessions_backing_off ON sessions (spawn_not_before_ms) WHERE spawn_not_before_ms > 0;

CREATE TABLE messages (
  id TEXT NOT NULL PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES sessions (id),
  seq INTEGER NOT NULL CHECK (seq % 2 = 0),
  kind TEXT NOT NULL CHECK (kind IN ('chat', 'task', 'system')),
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'claimed', 'completed', 'failed')),
  content TEXT NOT NULL,
  process_after_ms INTEGER NOT NULL,
  trigger INTEGER NOT NULL CHECK (trigger IN (0, 1)),
  on_wake INTEGER NOT NULL CHECK (on_wake IN (0, 1)),
  platform_id TEXT,
  channel_type TEXT,
  thread_id TEXT,
  source_session_id TEXT,
  created_at_ms INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0,
  projected_epoch INTEGER,
  claim_epoch INTEGER,
  claimed_at_ms INTEGER,
  cancel_requested_at_ms INTEGER,
  ended_at_ms INTEGER,
  failure TEXT,
  error TEXT,
  answered INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1)),
  dead_letter INTEGER NOT NULL DEFAULT 0 CHECK (dead_letter IN (0, 1)),
  series_id TEXT,
  recurrence TEXT,
  CHECK ((status IN ('completed', 'failed')) = (ended_at_ms IS NOT NULL)),
  CHECK ((status = 'failed') = (failure IS NOT NULL)),
  CHECK (status <> 'claimed' OR claim_epoch IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX messages_seq ON messages (session_id, seq);
CREATE INDEX messages_due ON messages (process_after_ms, session_id) WHERE status = 'pending' AND trigger = 1;
CREATE INDEX messages_waking ON messages (session_id, process_after_ms, seq) WHERE status = 'pending' AND trigger = 1;
CREATE INDEX messages_context ON messages (session_id, process_after_ms, seq) WHERE status = 'pending' AND trigger = 0;
CREATE INDEX messages_projected ON messages (session_id, projected_epoch)
  WHERE status = 'pending' AND projected_epoch IS NOT NULL;
CREATE INDEX messages_claimed ON messages (session_id, seq) WHERE status = 'claimed';
CREATE INDEX messages_failed ON messages (session_id, seq) WHERE status = 'failed';
CREATE INDEX messages_dead ON messages (ended_at_ms) WHERE dead_letter = 1;
CREATE INDEX messages_dead_of_session ON messages (session_id, ended_at_ms) WHERE dead_letter = 1;

CREATE TABLE runs (
  session_id TEXT NOT NULL REFERENCES sessions (id),
  epoch INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  runtime TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('starting', 'running', 'stopping', 'unkillable', 'gone')),
  handle_runtime TEXT,
  handle_id TEXT,
  intended_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  first_claim_at_ms INTEGER,
  last_active_at_ms INTEGER NOT NULL,
  stop_intended_at_ms INTEGER,
  kill_sent_at_ms INTEGER,
  end_reason TEXT,
  end_evidence TEXT,
  exit TEXT,
  ended_at_ms INTEGER,
  taken_seq INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (session_id, epoch),
  CHECK ((state = 'gone') = (ended_at_ms IS NOT NULL))
) STRICT;
-- At most one live run per session, whatever the code above believes.
CREATE UNIQUE INDEX runs_live ON runs (session_id) WHERE state <> 'gone';

CREATE TABLE replies (
  ordinal INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  session_id TEXT NOT NULL REFERENCES sessions (id),
  epoch INTEGER,
  seq INTEGER,
  in_reply_to TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('chat', 'task', 'system')),
  content TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  deliver_after_ms INTEGER NOT NULL,
  platform_id TEXT,
  channel_type TEXT,
  thread_id TEXT
) STRICT;
CREATE UNIQUE INDEX replies_seq ON replies (session_id, epoch, seq) WHERE epoch IS NOT NULL;
CREATE INDEX replies_of_session ON replies (session_id, ordinal);
CREATE INDEX replies_to ON replies (in_reply_to, ordinal) WHERE in_reply_to IS NOT NULL;

-- is_queued: waits behind an older delivery of its session and sink. Only heads (0) have a due time that counts, so
-- the cost of "what is due" follows lanes that are due, not what is piled up behind them.
CREATE TABLE deliveries (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  reply_id TEXT NOT NULL REFERENCES replies (id),
  session_id TEXT NOT NULL,
  sink TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed', 'dropped')),
  is_queued INTEGER NOT NULL CHECK (is_queued IN (0, 1)),
  is_postponed INTEGER NOT NULL DEFAULT 0 CHECK (is_postponed IN (0, 1)),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at_ms INTEGER NOT NULL,
  last_error TEXT,
  platform_message_id TEXT,
  ended_at_ms INTEGER,
  UNIQUE (reply_id, sink),
  CHECK ((status = 'pending') = (ended_at_ms IS NULL))
) STRICT;
CREATE INDEX deliveries_due ON deliveries (next_attempt_at_ms) WHERE status = 'pending' AND is_queued = 0;
CREATE INDEX deliveries_lane ON deliveries (session_id, sink, is_queued, id) WHERE status = 'pending';
CREATE INDEX deliveries_dead ON deliveries (ended_at_ms) WHERE status = 'failed';
CREATE INDEX deliveries_dead_of_session ON deliveries (session_id, ended_at_ms) WHERE status = 'failed';

CREATE TABLE session_state (
  session_id TEXT NOT NULL REFERENCES sessions (id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  PRIMARY KEY (session_id, key)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: an id is never used again, also after old lines are pruned; subscribers resume by it.
CREATE TABLE journal (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  type TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  session_id TEXT,
  epoch INTEGER,
  message_id TEXT,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX journal_of_session ON journal (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX journal_of_message ON journal (message_id, id) WHERE message_id IS NOT NULL;
`,
  `
-- is_ending: closed, and not all that waited in it has been ended yet.
ALTER TABLE sessions ADD COLUMN is_ending INTEGER NOT NULL DEFAULT 0 CHECK (is_ending IN (0, 1));
CREATE INDEX sessions_ending ON sessions (id) WHERE is_ending = 1;

-- at_once: was due when it was stored, and so is due whatever a clock that is set back says later.
ALTER TABLE messages ADD COLUMN at_once INTEGER NOT NULL DEFAULT 0 CHECK (at_once IN (0, 1));
UPDATE messages SET at_once = 1 WHERE process_after_ms <= created_at_ms;
CREATE INDEX messages_at_once ON messages (process_after_ms) WHERE status = 'pending' AND at_once = 1;

-- A lane has two heads at most, the oldest in line and the next one postponed; all others are queued.
DROP INDEX deliveries_lane;
CREATE INDEX deliveries_lane ON deliveries (session_id, sink, is_queued, is_postponed, id) WHERE status = 'pending';
CREATE INDEX deliveries_postponed ON deliveries (session_id, sink, next_attempt_at_ms, id)
  WHERE status = 'pending' AND is_postponed = 1;
CREATE INDEX deliveries_at_once ON deliveries (next_attempt_at_ms)
  WHERE status = 'pending' AND is_queued = 0 AND is_postponed = 0 AND attempts = 0;
UPDATE deliveries SET is_queued = 1 WHERE status = 'pending' AND is_postponed = 1 AND id NOT IN (
  SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY session_id, sink ORDER BY next_attempt_at_ms, id) AS place
    FROM deliveries WHERE status = 'pending' AND is_postponed = 1)
  WHERE place = 1);
`,
  `
-- counted_ack: the last acknowledgement without attempt that counted; while it stands unchanged, it does not again.
ALTER TABLE messages ADD COLUMN counted_ack TEXT;
`,
  `
-- is_suspect: has died more than once; handed out alone until it ends.
ALTER TABLE messages ADD COLUMN is_suspect INTEGER NOT NULL DEFAULT 0 CHECK (is_suspect IN (0, 1));
`,
  `
-- What a provider limits as one. A group without a row uses the account of its own name; an account without one is open.
CREATE TABLE account_groups (
  group_name TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  name TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('open', 'parked', 'probing', 'ramping')),
  reason TEXT,
  parked_at_ms INTEGER NOT NULL,
  parked_until_ms INTEGER NOT NULL,
  probe_session_id TEXT,
  allowed INTEGER NOT NULL,
  troubles INTEGER NOT NULL,
  CHECK ((state = 'probing') = (probe_session_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_held ON accounts (name) WHERE state <> 'open';
`,
  `
-- JSON, see MessageTroubles; null: it has met no trouble of its provider.
ALTER TABLE messages ADD COLUMN troubles TEXT;

-- stalls: JSON, see Stall.
ALTER TABLE accounts ADD COLUMN step_at_ms INTEGER;
ALTER TABLE accounts ADD COLUMN answers INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN is_troubled INTEGER NOT NULL DEFAULT 0 CHECK (is_troubled IN (0, 1));
ALTER TABLE accounts ADD COLUMN stalls TEXT NOT NULL DEFAULT '[]';
`,
  `
-- A session without a zone of its own goes by its group's.
ALTER TABLE sessions ADD COLUMN time_zone TEXT;

CREATE TABLE group_zones (
  group_name TEXT NOT NULL PRIMARY KEY,
  time_zone TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- plan: JSON, see SeriesPlan.
CREATE TABLE series (
  id TEXT NOT NULL PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES sessions (id),
  state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'parked', 'ended')),
  because TEXT,
  plan TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('chat', 'task', 'system')),
  content TEXT NOT NULL,
  platform_id TEXT,
  channel_type TEXT,
  thread_id TEXT,
  source_session_id TEXT,
  created_at_ms INTEGER NOT NULL,
  home_zone TEXT NOT NULL,
  zone TEXT NOT NULL,
  next_at_ms INTEGER,
  accounted_to_ms INTEGER NOT NULL,
  live_until_ms INTEGER NOT NULL DEFAULT 0,
  catch_up_to_ms INTEGER NOT NULL DEFAULT 0,
  held_until_ms INTEGER NOT NULL DEFAULT 0,
  held_for TEXT,
  failures_in_a_row INTEGER NOT NULL DEFAULT 0,
  firings INTEGER NOT NULL DEFAULT 0,
  live_message_id TEXT,
  CHECK ((state = 'active') = (because IS NULL)),
  CHECK (state = 'active' OR next_at_ms IS NULL)
) STRICT;
CREATE INDEX series_due ON series (next_at_ms, id) WHERE state = 'active' AND next_at_ms IS NOT NULL;
CREATE INDEX series_of_session ON series (session_id, id);

-- The ledger. A series has one live occurrence at most, unless its overlap policy allows more (is_exclusive 0).
CREATE TABLE occurrences (
  series_id TEXT NOT NULL REFERENCES series (id),
  ordinal INTEGER NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('schedule', 'run-now')),
  first_due_at_ms INTEGER NOT NULL,
  last_due_at_ms INTEGER NOT NULL,
  count INTEGER NOT NULL CHECK (count > 0),
  outcome TEXT NOT NULL CHECK (outcome IN ('live', 'ran', 'merged', 'skipped', 'expired')),
  because TEXT NOT NULL,
  message_id TEXT,
  ended_at_ms INTEGER,
  is_exclusive INTEGER NOT NULL CHECK (is_exclusive IN (0, 1)),
  PRIMARY KEY (series_id, ordinal),
  CHECK ((outcome = 'live') = (ended_at_ms IS NULL)),
  CHECK (outcome <> 'live' OR message_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX occurrences_one_live ON occurrences (series_id) WHERE outcome = 'live' AND is_exclusive = 1;
CREATE INDEX occurrences_live ON occurrences (series_id, ordinal) WHERE outcome = 'live';
CREATE UNIQUE INDEX occurrences_of_message ON occurrences (message_id) WHERE message_id IS NOT NULL;

-- Which schedule held from when to when: what the ledger is checked against.
CREATE TABLE series_revisions (
  series_id TEXT NOT NULL REFERENCES series (id),
  revision INTEGER NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER,
  schedule TEXT NOT NULL,
  zone TEXT NOT NULL,
  end_at_ms INTEGER,
  PRIMARY KEY (series_id, revision)
) STRICT, WITHOUT ROWID;
`,
  `
-- What agents ask of the host. status null: not answered yet.
CREATE TABLE requests (
  ordinal INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (id),
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  content TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  status TEXT CHECK (status IN ('ok', 'refused')),
  answer TEXT,
  UNIQUE (session_id, epoch, seq),
  CHECK ((status IS NULL) = (answer IS NULL))
) STRICT;
CREATE INDEX requests_open ON requests (ordinal) WHERE status IS NULL;
CREATE INDEX requests_of_session ON requests (session_id, ordinal, created_at_ms);
`,
  `
-- written_after: the newest line of the journal when a row was written, which no step of a clock turns back.
ALTER TABLE session_state ADD COLUMN written_after INTEGER NOT NULL DEFAULT 0;
CREATE INDEX session_state_written ON session_state (written_after, session_id);
CREATE INDEX sessions_open ON sessions (id) WHERE status = 'open';

-- Directories of closed sessions. archive_put_off: why the last try came to nothing; not tried before archive_not_before_ms.
ALTER TABLE sessions ADD COLUMN archived_at_ms INTEGER;
ALTER TABLE sessions ADD COLUMN archive_not_before_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN archive_put_off TEXT;
CREATE INDEX sessions_unarchived ON sessions (closed_at_ms, id) WHERE status = 'closed' AND archived_at_ms IS NULL;
`,
]
