import { renameSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { formatDuration } from '../config/duration.ts'
import { ensureDirectory, lookAt } from '../mailbox/host-files.ts'
import { ensureHostDirectories, ensureRunDirectories } from '../mailbox/session-directories.ts'
import { sessionPaths } from '../mailbox/session-paths.ts'
import { SessiondError } from '../model/errors.ts'
import type { RunUser } from '../runtime/runtime.ts'
import type { Misfits, Misplaced } from './find-misfits.ts'

/** What was done about one misfit, or why it was not. */
export interface Repair {
  readonly done: boolean
  /** In plain words. */
  readonly what: string
}

export interface RepairRequest {
  readonly dataDir: string
  readonly misfits: Misfits
  /** The user a session's runs have; null: the host's own. */
  readonly userOf: (sessionId: string) => RunUser | null
  readonly nowMs: number
  /** How long cleanings leave the trash alone. */
  readonly trashKeptMs: number
}

/** For a link in the place of a session or group on record. */
export const LINK_CURE = 'Put the directory itself in its place, or mount it there.'

/** Only the host's user looks into the trash: what lies there may be a run's. */
const PRIVATE = { mode: 0o700, owner: null }

/**
 * Moves what does not belong below `sessions/` into the trash and makes missing directories anew. Deletes nothing, walks
 * into nothing, follows no link, and makes no database. A link in the place of a session on record stays: whoever made it
 * knows what lies behind it. Each by itself. Only for who holds the host's lock.
 */
export function repairMisfits({ dataDir, misfits, userOf, nowMs, trashKeptMs }: RepairRequest): Repair[] {
  const trash = join(dataDir, 'trash', `${stampOf(nowMs)}-repair`, 'sessions')
  return [
    ...misfits.misplaced.map((misplaced) =>
      attempt(() => `${moveAway(dataDir, trash, misplaced)}; the trash keeps it for ${formatDuration(trashKeptMs)}`),
    ),
    // Afterwards: something else may have stood in their place.
    ...misfits.missing.map((id) => attempt(() => makeAnew(dataDir, id, userOf(id)))),
  ]
}

function moveAway(dataDir: string, trash: string, { path, why }: Misplaced): string {
  if (why === 'link') throw new Error(`sessions/${path} is a link, which is not followed. ${LINK_CURE}`)
  const from = join(dataDir, 'sessions', path)
  const to = join(trash, path)
  for (const dir of foldersTo(dataDir, dirname(to))) ensureDirectory(dir, PRIVATE)
  if (lookAt(to) !== undefined) throw new Error(`${to} is there already`)
  renameSync(from, to)
  if (path.includes('/')) removeIfEmpty(dirname(from))
  const reason = why === 'unknown' ? 'no such session is on record' : 'it is no directory'
  return `sessions/${path} was moved to ${to}: ${reason}`
}

function makeAnew(dataDir: string, id: string, user: RunUser | null): string {
  const paths = sessionPaths(dataDir, id)
  ensureHostDirectories(dataDir, paths)
  ensureRunDirectories(paths, user)
  return `${paths.root} was made anew, with an empty workspace: session ${id} had none`
}

/** Every folder below the data directory on the way to one, outermost first. */
function foldersTo(dataDir: string, path: string): string[] {
  return path === dataDir ? [] : [...foldersTo(dataDir, dirname(path)), path]
}

/** A group none of whose sessions is left. */
function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir)
  } catch {
    // It has others.
  }
}

function attempt(repair: () => string): Repair {
  try {
    return { done: true, what: repair() }
  } catch (error) {
    if (error instanceof SessiondError) return { done: false, what: error.message }
    const { code, message } = error as NodeJS.ErrnoException
    const elsewhere = code === 'EXDEV' ? ' It lies on another file system: move it by hand.' : ''
    return { done: false, what: `${message.replace(/\.$/, '')}.${elsewhere}` }
  }
}

/** `20300131T090000Z` */
function stampOf(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}
