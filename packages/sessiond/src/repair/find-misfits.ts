import { type Dirent, lstatSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isValidName } from '@sessiond/protocol'
import { sessionPaths } from '../mailbox/session-paths.ts'
import { LEFTOVER_PREFIX } from '../model/artifact.ts'
import { SessiondError } from '../model/errors.ts'
import type { SessionSummary } from '../model/session.ts'
import { hadDirectory } from '../prune/archive/had-directory.ts'
import { PARTING_PREFIX } from '../prune/archive/remove-session.ts'
import type { StoreReader } from '../store/store.ts'

/** Something below `sessions/` that is not what it must be. */
export interface Misplaced {
  /** Below `sessions/`: a group's name, or `<group>/<session>`. */
  readonly path: string
  /**
   * `unknown`: a directory of a session that is not on record; `link`: it stands for a session or group on record, whose
   * files may well lie behind it; `no-directory`: a file, another link or the like.
   */
  readonly why: 'unknown' | 'link' | 'no-directory'
}

/** Where the files of a data directory and its store disagree. */
export interface Misfits {
  readonly misplaced: readonly Misplaced[]
  /** Open sessions whose runs had a directory that is not there, nor a link in the place of it. */
  readonly missing: readonly string[]
  /** Unreadable mailboxes that were kept: how many, and their bytes. */
  readonly setAside: { readonly files: number; readonly bytes: number }
  readonly sessions: number
  readonly directories: number
}

const SET_ASIDE = /^\d{1,16}\.outbound\.db$/

/** A file system of its own brings this folder along. */
const NOT_OURS = new Set(['lost+found'])

/** What a pruning that was cut off has begun to remove: the next one finishes it. No session can be called so. */
const UNDER_WAY = [PARTING_PREFIX, LEFTOVER_PREFIX]

const PAGE = 1_000

/**
 * Compares what lies below `sessions/` with the sessions on record. Looks only, at no more than the names of what the
 * host itself made: nothing a run can write is opened or listed, and no link is followed. Fit for beside a running host.
 * Throws REFERENCES_IMPLAUSIBLE when there are directories and not one session, or several sessions that ran and not one
 * directory of theirs.
 */
export async function findMisfits(dataDir: string, store: StoreReader, nowMs: number): Promise<Misfits> {
  // Directories first: a session is on record before it has one.
  const found = await listSessionsDir(dataDir)
  const known = await listKnown(store, nowMs)
  const directories = found.filter(({ kind }) => kind === 'directory').map(({ path }) => path)
  if (known.size === 0 && directories.length > 0) {
    const what = `There are directories of sessions (${directories.length}), but no session is on record.`
    throw new SessiondError('REFERENCES_IMPLAUSIBLE', what, {
      fields: { dataDir, directories: directories.length },
      cure: 'Put in the place of store.db the one that knows them, or move the folder sessions/ away.',
    })
  }
  const misplaced = misplacedOf(found, known)
  const links = new Set(misplaced.flatMap(({ path, why }) => (why === 'link' ? [path] : [])))
  const missing = await listMissing(dataDir, store, known, links)
  if (missing.length > 1 && !directories.some((path) => known.has(path))) {
    const what = `None of the sessions that ran (${missing.length}) has its directory.`
    throw new SessiondError('REFERENCES_IMPLAUSIBLE', what, {
      fields: { dataDir, sessions: missing.length },
      cure: 'Mount or restore sessions/. If they are lost for good, start the host: a run makes what its session needs.',
    })
  }
  const setAside = { files: 0, bytes: 0 }
  for (const path of directories) if (known.has(path)) await countSetAside(join(dataDir, 'sessions', path), setAside)
  return {
    misplaced,
    missing,
    setAside,
    sessions: known.size,
    directories: directories.length,
  }
}

interface FoundEntry {
  readonly path: string
  readonly kind: 'directory' | 'link' | 'other'
}

/** What stands where sessions' directories belong; of a group that is a directory what is in it, else itself. */
async function listSessionsDir(dataDir: string): Promise<FoundEntry[]> {
  const root = join(dataDir, 'sessions')
  const seen = lstatSync(root, { throwIfNoEntry: false })
  if (seen === undefined) return []
  if (!seen.isDirectory()) {
    throw new SessiondError('DATA_DIR_UNUSABLE', `${root} is not a real directory.`, {
      fields: { dataDir },
      cure: 'Put the directory itself there: links are not followed.',
    })
  }
  const found: FoundEntry[] = []
  for (const group of await listNames(root)) {
    if (!group.isDirectory()) found.push({ path: group.name, kind: kindOf(group) })
    else {
      const sessions = await listNames(join(root, group.name))
      found.push(...sessions.map((each) => ({ path: `${group.name}/${each.name}`, kind: kindOf(each) })))
    }
  }
  return found
}

function kindOf(entry: Dirent): FoundEntry['kind'] {
  if (entry.isDirectory()) return 'directory'
  return entry.isSymbolicLink() ? 'link' : 'other'
}

async function listNames(dir: string): Promise<Dirent[]> {
  const entries = await readdir(dir, { withFileTypes: true })
  return entries
    .filter(({ name }) => !NOT_OURS.has(name) && !UNDER_WAY.some((prefix) => name.startsWith(prefix)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function listKnown(store: StoreReader, nowMs: number): Promise<Map<string, SessionSummary>> {
  const known = new Map<string, SessionSummary>()
  for (let after: string | undefined; ; ) {
    const page = await store.listSessions({ limit: PAGE, nowMs, ...(after === undefined ? {} : { after }) })
    for (const session of page) known.set(session.id, session)
    after = page.at(-1)?.id
    if (page.length < PAGE || after === undefined) return known
  }
}

function misplacedOf(found: readonly FoundEntry[], known: ReadonlyMap<string, SessionSummary>): Misplaced[] {
  const groups = new Set([...known.values()].map(({ group }) => group))
  return found.flatMap(({ path, kind }): Misplaced[] => {
    if (kind === 'directory') return known.has(path) ? [] : [{ path, why: 'unknown' }]
    const isOnRecord = known.has(path) || groups.has(path)
    return [{ path, why: kind === 'link' && isOnRecord ? 'link' : 'no-directory' }]
  })
}

async function listMissing(
  dataDir: string,
  store: StoreReader,
  known: ReadonlyMap<string, SessionSummary>,
  links: ReadonlySet<string>,
): Promise<string[]> {
  const missing: string[] = []
  for (const { id, group, name, status, epoch } of known.values()) {
    // A session that never ran has no directory yet, and a closed one may have lost it to the archive.
    if (status !== 'open' || epoch === 0 || !isValidName(group) || !isValidName(name)) continue
    if (links.has(group) || links.has(id)) continue
    if (isRealDirectory(join(dataDir, 'sessions', group)) && isRealDirectory(sessionPaths(dataDir, id).root)) continue
    if (await hadDirectory(store, id)) missing.push(id)
  }
  return missing
}

async function countSetAside(root: string, counted: { files: number; bytes: number }): Promise<void> {
  const runs = join(root, 'runs')
  if (!isRealDirectory(runs)) return
  for (const { name } of (await listNames(runs)).filter(({ name }) => SET_ASIDE.test(name))) {
    const seen = lstatSync(join(runs, name), { throwIfNoEntry: false })
    if (seen === undefined) continue
    counted.files += 1
    counted.bytes += seen.size
  }
}

function isRealDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
