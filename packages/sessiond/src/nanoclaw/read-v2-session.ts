import type { DatabaseSync } from 'node:sqlite'
import { readPlainTables } from '../mailbox/plain-tables.ts'
import { number, numberOf, textOf, word } from './columns.ts'
import type { Untold, V2Ack, V2Hold, V2Message, V2SessionState } from './installation.ts'
import { Unreadable } from './unreadable.ts'

/** Messages that have not ended, series and acknowledgements told of one session. */
const MAX_ROWS = 1_000
/** Keys of a session's state that are looked at. */
const MAX_KEYS = 1_000
/** Replies compared with the record of deliveries at a time. */
const PAGE = 2_000
/** What a message waits in or is worked on. */
const OPEN = "('pending', 'processing')"
/** What it has ended in. Any other word is of one that goes on: paused, or whatever a later version calls it. */
const ENDED = ['completed', 'failed']

/** What a session's `inbound.db` says; null where there is no such database. */
export interface InboundState extends Pick<V2SessionState, 'counts' | 'open' | 'series'> {
  readonly untold: Pick<Untold, 'waking' | 'context'>
  readonly hasMoreSeries: boolean
  /** Null: there is no table of messages. */
  readonly openCount: number | null
}

export interface OutboundState extends Pick<V2SessionState, 'acks' | 'tool'> {
  readonly untold: Pick<Untold, 'claims'>
  /** Null: there is no table that says. */
  readonly ids: readonly string[] | null
  /** Whether there is a table of replies. */
  readonly hasReplies: boolean
}

export function readInbound(db: DatabaseSync): InboundState {
  const { messages_in: has } = readPlainTables(db, ['messages_in'])
  if (!has.has('id') || !has.has('status')) return NO_MESSAGES
  const counts = readCounts(db)
  const select = selectMessage(has)
  const recurring = has.has('recurrence') ? readSeries(db, select, has) : []
  return {
    counts,
    openCount: sum(Object.entries(counts).flatMap(([status, count]) => (ENDED.includes(status) ? [] : [count]))),
    open: readOpen(db, select, has).flatMap(parseMessage),
    series: recurring.slice(0, MAX_ROWS).flatMap(parseMessage),
    untold: countUntold(db, has),
    hasMoreSeries: recurring.length > MAX_ROWS,
  }
}

const NO_MESSAGES: InboundState = {
  counts: {},
  open: [],
  series: [],
  openCount: null,
  untold: { waking: 0, context: 0 },
  hasMoreSeries: false,
}

/** Of too many, what may wake and is due: what comes later, or wakes nobody, decides nothing now. */
function readOpen(db: DatabaseSync, select: string, has: ReadonlySet<string>): Record<string, unknown>[] {
  // A time that is none comes first, as none at all does: both are seen.
  const order = [`${wakes(has)} DESC`, has.has('process_after') ? 'julianday(process_after)' : 'NULL', 'rowid']
  const chosen = `SELECT rowid FROM messages_in WHERE status IN ${OPEN} ORDER BY ${order.join(', ')} LIMIT ${MAX_ROWS}`
  return db.prepare(`${select} WHERE rowid IN (${chosen}) ORDER BY rowid`).all()
}

function countUntold(db: DatabaseSync, has: ReadonlySet<string>): InboundState['untold'] {
  const row = db
    .prepare(`SELECT count(*) AS count, total(${wakes(has)}) AS waking FROM messages_in WHERE status IN ${OPEN}`)
    .get()
  const [count, waking] = [Number(row?.count), Number(row?.waking)]
  return { waking: Math.max(0, waking - MAX_ROWS), context: Math.min(count - waking, Math.max(0, count - MAX_ROWS)) }
}

/** Whether a message may wake. `trigger` is a word of SQL's own. */
function wakes(has: ReadonlySet<string>): string {
  return has.has('trigger') ? '("trigger" IS NOT 0)' : '1'
}

function readCounts(db: DatabaseSync): Record<string, number> {
  // A word of an enemy's must not become a key of ours.
  const rows = db
    .prepare(
      `SELECT CASE WHEN status IN ('pending', 'processing', 'paused', 'completed', 'failed') THEN status ELSE 'other' END
         AS known, count(*) AS count FROM messages_in GROUP BY known`,
    )
    .all()
  return Object.fromEntries(rows.map(({ known, count }) => [String(known), Number(count)]))
}

/** The newest message of each series stands for it. */
function readSeries(db: DatabaseSync, select: string, has: ReadonlySet<string>): Record<string, unknown>[] {
  const series = has.has('series_id') ? 'coalesce(series_id, id)' : 'id'
  return db
    .prepare(
      `${select} WHERE rowid IN (SELECT max(rowid) FROM messages_in WHERE recurrence IS NOT NULL GROUP BY ${series})
       ORDER BY rowid LIMIT ${MAX_ROWS + 1}`,
    )
    .all()
}

function selectMessage(has: ReadonlySet<string>): string {
  const words = ['id', 'kind', 'status', 'timestamp', 'process_after', 'recurrence', 'series_id'] as const
  const columns = [...words.map((column) => word(has, column)), number(has, 'tries'), number(has, 'on_wake')]
  return `SELECT ${columns.join(', ')}, ${wakes(has)} AS is_trigger FROM messages_in`
}

function parseMessage(row: Record<string, unknown>): V2Message[] {
  const id = textOf(row.id)
  if (id === null) return []
  return [
    {
      id,
      kind: textOf(row.kind),
      status: textOf(row.status),
      timestamp: textOf(row.timestamp),
      processAfter: textOf(row.process_after),
      recurrence: textOf(row.recurrence),
      seriesId: textOf(row.series_id),
      tries: Math.max(0, Math.trunc(numberOf(row.tries) ?? 0)),
      isTrigger: row.is_trigger !== 0n,
      isOnWake: (numberOf(row.on_wake) ?? 0) !== 0,
    },
  ]
}

/** What a session's `outbound.db` says; `about`: ids of messages whose acknowledgements are wanted. */
export function readOutbound(db: DatabaseSync, about: readonly string[]): OutboundState {
  const has = readPlainTables(db, ['processing_ack', 'container_state', 'session_state', 'messages_out'])
  return {
    ids: readIds(db, has.session_state),
    ...readAcks(db, has.processing_ack, about),
    tool: readTool(db, has.container_state),
    hasReplies: has.messages_out.has('id'),
  }
}

/** Each provider's conversation stands under a key of its own; installations that are older have one key for all. */
function readIds(db: DatabaseSync, has: ReadonlySet<string>): string[] | null {
  if (!has.has('key') || !has.has('value')) return null
  const rows = db
    .prepare(
      `SELECT typeof(value) AS type, ${word(has, 'value')} FROM session_state
       WHERE value IS NOT NULL AND (key LIKE 'continuation:%' OR key LIKE '%session_id%') LIMIT ${MAX_KEYS + 1}`,
    )
    .all()
  if (rows.length > MAX_KEYS) throw new Unreadable('The session keeps more conversations than are read.')
  return rows.flatMap(({ type, value }) => {
    if (type !== 'text') throw new Unreadable('The session keeps a conversation whose id is no text.')
    // What is too long for the name of a file names none.
    return textOf(value) ?? []
  })
}

function readAcks(
  db: DatabaseSync,
  has: ReadonlySet<string>,
  about: readonly string[],
): Pick<OutboundState, 'acks' | 'untold'> {
  if (!has.has('message_id') || !has.has('status')) return { acks: [], untold: { claims: 0 } }
  const select = `SELECT ${word(has, 'message_id')}, ${word(has, 'status')}, ${word(has, 'status_changed')} FROM processing_ack`
  // Those of messages that are told come first.
  const rows = db
    .prepare(
      `WITH about AS (SELECT value FROM json_each(?))
       ${select} WHERE status = 'processing' OR message_id IN about
       ORDER BY message_id IN about DESC, rowid DESC LIMIT ${MAX_ROWS}`,
    )
    .all(JSON.stringify(about))
  const all = rows.length < MAX_ROWS ? rows.length : countAcks(db, about)
  return { acks: rows.reverse().flatMap(parseAck), untold: { claims: all - rows.length } }
}

function countAcks(db: DatabaseSync, about: readonly string[]): number {
  const row = db
    .prepare(
      `SELECT count(*) AS count FROM processing_ack
       WHERE status = 'processing' OR message_id IN (SELECT value FROM json_each(?))`,
    )
    .get(JSON.stringify(about))
  return Number(row?.count)
}

function parseAck(row: Record<string, unknown>): V2Ack[] {
  const [messageId, status] = [textOf(row.message_id), textOf(row.status)]
  return messageId === null || status === null ? [] : [{ messageId, status, changedAt: textOf(row.status_changed) }]
}

function readTool(db: DatabaseSync, has: ReadonlySet<string>): V2SessionState['tool'] {
  if (!has.has('current_tool')) return null
  const row = db
    .prepare(
      `SELECT ${word(has, 'current_tool')}, ${number(has, 'tool_declared_timeout_ms')}, ${word(has, 'tool_started_at')}
       FROM container_state ORDER BY rowid LIMIT 1`,
    )
    .get()
  const name = textOf(row?.current_tool)
  if (row === undefined || name === null || name === '') return null
  return { name, timeoutMs: numberOf(row.tool_declared_timeout_ms), startedAt: textOf(row.tool_started_at) }
}

/** Ids of all replies, a page at a time. */
export function* listReplies(db: DatabaseSync): Generator<string[]> {
  const { messages_out: has } = readPlainTables(db, ['messages_out'])
  if (!has.has('id')) return
  const read = db.prepare(
    `SELECT rowid AS place, ${word(has, 'id')} FROM messages_out WHERE rowid > ? ORDER BY rowid LIMIT ${PAGE}`,
  )
  let place = -(2n ** 63n)
  for (;;) {
    const rows = read.all(place)
    yield rows.map(({ id }) => textOf(id) ?? '')
    const last = rows.at(-1)?.place
    if (rows.length < PAGE || typeof last !== 'bigint' || last <= place) return
    place = last
  }
}

/** How many of these replies no delivery is recorded of. */
export function countUndelivered(db: DatabaseSync, replies: readonly string[]): number {
  const { delivered: has } = readPlainTables(db, ['delivered'])
  if (!has.has('message_out_id')) return replies.length
  const row = db
    .prepare(
      // A join looks each up by the key of the table: `NOT IN` makes a list of all its rows for every page.
      `SELECT count(*) AS count FROM json_each(?) LEFT JOIN delivered ON message_out_id = value
       WHERE message_out_id IS NULL`,
    )
    .get(JSON.stringify(replies))
  return Number(row?.count ?? replies.length)
}

/** What pruning must know of both; without any there is nothing to know. */
export function holdOf(inbound: InboundState | null, outbound: OutboundState | null, undelivered: number): V2Hold {
  if (inbound === null && outbound === null) return { hasDatabases: false, ids: null, open: 0, undelivered: 0 }
  return {
    hasDatabases: true,
    ids: outbound?.ids ?? null,
    open: inbound?.openCount ?? null,
    undelivered: outbound?.hasReplies === true ? undelivered : null,
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0)
}
