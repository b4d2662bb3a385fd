import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { lookAt, lookCloselyAt } from '../mailbox/host-files.ts'
import type { WorkerAnswer } from '../mailbox/operations.ts'
import { startWatchdog } from '../mailbox/watchdog.ts'
import { CENTRAL, type Layout, SESSIONS } from './installation.ts'
import { type DatabaseSource, readDatabase } from './read-database.ts'
import { readV1Record } from './read-v1.ts'
import { readV2Record } from './read-v2.ts'
import {
  countUndelivered,
  holdOf,
  type InboundState,
  listReplies,
  type OutboundState,
  readInbound,
  readOutbound,
} from './read-v2-session.ts'
import { isRealFolder } from './real-folder.ts'
import type { RecordInput, Requests, SessionInput } from './requests.ts'
import { Unreadable, unreadable } from './unreadable.ts'

/** A database of the installation's host. */
const MAX_RECORD_BYTES = 8 * 1024 ** 3
/** A database that a container may write. */
const MAX_SESSION_BYTES = 1024 ** 3

/** Reads an installation where it can be killed: its files may be a hostile run's work, and block whoever opens them. */
const requests: Requests = {
  readV1: (input) => readRecord(input, 'nanoclaw-v1', readV1Record),
  readV2: (input) => readRecord(input, 'nanoclaw-v2', readV2Record),
  readHold(input) {
    const folder = folderOf(input)
    if (!isRealFolder(input.root, folder)) return holdOf(null, null, 0)
    const paths = ['inbound.db', 'outbound.db'].map((name) => join(input.root, ...folder, name))
    return recall(paths, input.settledMs, () => {
      const { inbound, outbound, undelivered } = readSession(input)
      return holdOf(inbound, outbound, undelivered)
    })
  },
  readState(input) {
    const folder = folderOf(input)
    if (!isRealFolder(input.root, folder)) return null
    const { inbound, outbound, undelivered } = readSession(input)
    const beat = lookAt(join(input.root, ...folder, '.heartbeat'))
    const untold = { waking: 0, context: 0, claims: 0, ...inbound?.untold, ...outbound?.untold }
    return {
      counts: inbound?.counts ?? {},
      open: inbound?.open ?? [],
      series: inbound?.series ?? [],
      acks: outbound?.acks ?? [],
      undelivered,
      tool: outbound?.tool ?? null,
      heartbeatAtMs: beat?.isFile() === true ? beat.mtimeMs : null,
      untold,
      isPartial: inbound?.hasMoreSeries === true || Object.values(untold).some((count) => count > 0),
    }
  },
}

function readRecord<T>(
  { root, tempDir, busyMs, settledMs }: RecordInput,
  layout: Layout,
  read: (db: DatabaseSync) => T,
): T | null {
  const path = join(root, ...CENTRAL[layout])
  return recall([path], settledMs, () =>
    readDatabase({ root, path, maxBytes: MAX_RECORD_BYTES, busyMs, tempDir, isHostile: false }, read),
  )
}

/** What was read of databases, by their paths, and what the files were like before that. */
const remembered = new Map<string, { readonly stamp: string; readonly value: unknown }>()

/** One pruning asks for the same again and again: what has not changed costs it a look at the files, and no copy. */
function recall<T>(paths: readonly string[], settledMs: number, read: () => T): T {
  const key = paths.join('\0')
  const stamp = stampOf(paths, settledMs)
  const known = remembered.get(key)
  if (stamp !== null && known?.stamp === stamp) return known.value as T
  const value = read()
  if (stamp === null) remembered.delete(key)
  else remembered.set(key, { stamp, value })
  return value
}

/** Null: written so lately that another write could hide behind the same times. */
function stampOf(paths: readonly string[], settledMs: number): string | null {
  const files = paths.flatMap((path) => ['', '-journal', '-wal'].map((suffix) => path + suffix))
  const seen = files.map(lookCloselyAt)
  if (seen.some((part) => part !== undefined && Date.now() - Number(part.ctimeNs / 1_000_000n) < settledMs)) return null
  return seen.map((part) => (part === undefined ? '-' : `${part.dev} ${part.ino} ${part.size} ${part.ctimeNs}`)).join()
}

interface SessionDatabases {
  readonly inbound: InboundState | null
  readonly outbound: OutboundState | null
  readonly undelivered: number
}

function readSession(input: SessionInput): SessionDatabases {
  // First what its host has noted, then what the container has said: what comes between counts as not noted yet.
  const whole = readDatabase(sourceOf(input, 'inbound.db'), (db) => {
    const inbound = readInbound(db)
    return { inbound, ...readAnswers(input, inbound, (page) => countUndelivered(db, page)) }
  })
  return whole ?? { inbound: null, ...readAnswers(input, null, (page) => page.length) }
}

function readAnswers(
  input: SessionInput,
  inbound: InboundState | null,
  count: (replies: readonly string[]) => number,
): Pick<SessionDatabases, 'outbound' | 'undelivered'> {
  const about = inbound?.open.map(({ id }) => id) ?? []
  const outbound = readDatabase(sourceOf(input, 'outbound.db'), (db) => ({
    ...readOutbound(db, about),
    undelivered: countAll(db, count),
  }))
  return { outbound, undelivered: outbound?.undelivered ?? 0 }
}

function sourceOf(input: SessionInput, name: string): DatabaseSource {
  const { root, tempDir, busyMs } = input
  const path = join(root, ...folderOf(input), name)
  return { root, path, maxBytes: MAX_SESSION_BYTES, busyMs, tempDir, isHostile: true }
}

function countAll(out: DatabaseSync, count: (page: readonly string[]) => number): number {
  let sum = 0
  for (const page of listReplies(out)) sum += count(page)
  return sum
}

/** Names of folders come from a database: only one segment of a path is a name. */
function folderOf({ group, session }: SessionInput): string[] {
  for (const name of [group, session]) {
    if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
      throw new Unreadable(`${JSON.stringify(name)} is no name of a folder.`)
    }
  }
  return [...SESSIONS['nanoclaw-v2'], group, session]
}

function answer(request: { readonly op: keyof Requests; readonly input: unknown }): WorkerAnswer {
  try {
    // The two ends of this channel are one program; inputs are built by the same table of types.
    const perform = requests[request.op] as (input: unknown) => unknown
    return { ok: true, value: perform(request.input) }
  } catch (error) {
    const { message } = unreadable('The installation', error)
    return { ok: false, code: 'INSTALLATION_UNREADABLE', what: message, cure: undefined }
  }
}

const watchdog = startWatchdog(Number(process.argv[2]))

// Ctrl-C reaches the whole process group; the command ends its readers itself.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => process.exit(0))
process.on('message', (request: { readonly op: keyof Requests; readonly input: unknown }) => {
  watchdog.begin()
  const reply = answer(request)
  watchdog.end()
  process.send?.(reply)
})
process.send?.('ready')
