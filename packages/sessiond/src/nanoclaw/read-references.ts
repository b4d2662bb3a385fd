import { join } from 'node:path'
import type { ActiveReferences, PlannedRemoval } from '../model/artifact.ts'
import { SessiondError } from '../model/errors.ts'
import {
  CENTRAL,
  type Layout,
  SESSIONS,
  type V1Record,
  type V2Hold,
  type V2Record,
  type V2Session,
} from './installation.ts'
import type { InstallationReader } from './installation-reader.ts'
import { listFolders, orphansOf, placesOf } from './session-folders.ts'

/** What must not be touched, and what of the tree nobody has on record. */
export interface LayoutReferences {
  /** Sessions by the names of their folders. */
  readonly active: ActiveReferences
  /** `<group>/<session>` of session folders that no session on record has. */
  readonly orphans: readonly string[]
}

export interface ReferenceOptions {
  /** True: session folders that are not on record are nobody's, and hold on to nothing. */
  readonly removesOrphans: boolean
  /** What is about to go: of sessions that are over, only those whose folders are in it are read. Null: all are. */
  readonly batch: readonly Pick<PlannedRemoval, 'group' | 'session'>[] | null
  /** Session folders, by their places, that were there when this pruning was planned, and that it removes itself. */
  readonly planned: ReadonlySet<string>
  /** Looked at between any two sessions; its reason is thrown. */
  readonly interrupted: AbortSignal
  readonly onRead: (progress: ReadProgress) => void
}

/** Sessions whose folders have been read, and how many there are to read. */
export interface ReadProgress {
  readonly read: number
  readonly of: number
}

/**
 * Reads which sessions an installation has and what these hold on to. Throws REFERENCES_UNREADABLE when any part of that
 * cannot be read, and REFERENCES_IMPLAUSIBLE when what is on record and what lies in the tree do not belong together:
 * never a smaller set.
 */
export async function readReferences(
  reader: InstallationReader,
  layout: Layout,
  options: ReferenceOptions,
): Promise<LayoutReferences> {
  const folders = await listFolders(join(reader.root, ...SESSIONS[layout]))
  try {
    if (layout === 'nanoclaw-v1') return ofV1(await recorded(reader, layout, 'readV1'), folders, reader.root)
    return await ofV2(reader, await recorded(reader, layout, 'readV2'), placesOf(folders), options)
  } catch (error) {
    if (!(error instanceof SessiondError) || error.code !== 'INSTALLATION_UNREADABLE') throw error
    throw new SessiondError('REFERENCES_UNREADABLE', error.what, { fields: error.fields, cause: error })
  }
}

async function recorded<Op extends 'readV1' | 'readV2'>(reader: InstallationReader, layout: Layout, op: Op) {
  const found = await reader.read(op, {} as never)
  if (found !== null) return found
  const file = join(reader.root, ...CENTRAL[layout])
  throw new SessiondError('INSTALLATION_UNREADABLE', `${file} is missing or empty.`, { fields: { root: reader.root } })
}

function ofV1(record: V1Record, folders: ReadonlyMap<string, unknown>, root: string): LayoutReferences {
  const groups = new Set(record.sessions.map(({ group }) => group))
  const isKnown = [...folders.keys()].some((name) => groups.has(name))
  if (!isKnown && folders.size > 0) throw strangers(root, record.sessions.length, folders.size)
  return {
    active: { ...NOTHING, ids: new Set(record.sessions.map(({ id }) => id)), hasSessions: record.sessions.length > 0 },
    orphans: [],
  }
}

async function ofV2(
  reader: InstallationReader,
  { sessions }: V2Record,
  places: readonly string[],
  options: ReferenceOptions,
): Promise<LayoutReferences> {
  const known = new Set(sessions.map(placeOf))
  const orphans = orphansOf(places, (place) => known.has(place))
  const belonging = decideBelonging(
    sessions,
    [...places, ...options.planned].some((place) => known.has(place)),
  )
  if (orphans.length > 0 && belonging === 'strangers') throw strangers(reader.root, sessions.length, orphans.length)
  if (orphans.length > 0 && belonging === 'emptied' && options.removesOrphans) {
    throw strangers(reader.root, sessions.length, orphans.length, WITHOUT_ORPHANS)
  }
  const held = belonging === 'same' ? (options.removesOrphans ? [] : orphans) : places
  const { ids, working } = await readHolds(reader, [...sessions, ...held.map(orphanOf)], options)
  const open = sessions.filter((session) => !isClosed(session)).map(placeOf)
  return {
    active: {
      ...NOTHING,
      ids,
      openSessions: new Set([...open, ...held]),
      workingSessions: new Set(working),
      hasSessions: belonging !== 'strangers',
    },
    orphans,
  }
}

/**
 * Whether record and tree belong together. `same`: a session on record has one of the folders. `emptied`: none has, and
 * all are over, so that their folders may have been pruned; if it is another tree all the same, each folder in it may be
 * that of a session which goes on. `strangers`: some session should have a folder, or there is none on record.
 */
function decideBelonging(sessions: readonly V2Session[], hasFolders: boolean): 'same' | 'emptied' | 'strangers' {
  if (hasFolders) return 'same'
  return sessions.length > 0 && sessions.every(isOver) ? 'emptied' : 'strangers'
}

function placeOf({ group, id }: Pick<V2Session, 'group' | 'id'>): string {
  return `${group}/${id}`
}

/** A folder that stays is a session's of which nothing more is known. */
function orphanOf(place: string): V2Session {
  const slash = place.indexOf('/')
  const [group, id] = [place.slice(0, slash), place.slice(slash + 1)]
  return { group, id, status: null, containerStatus: null, createdAt: null, lastActive: null }
}

/** Anything but this word is a session that goes on, whatever a later version calls it. */
function isClosed({ status }: V2Session): boolean {
  return status === 'closed'
}

function isStopped({ containerStatus }: V2Session): boolean {
  return containerStatus === null || containerStatus === 'stopped'
}

/** It needs no conversation any more: all that it may still need is its own folder. */
function isOver(session: V2Session): boolean {
  return isClosed(session) && isStopped(session)
}

async function readHolds(
  reader: InstallationReader,
  sessions: readonly V2Session[],
  { batch, interrupted, onRead }: ReferenceOptions,
): Promise<{ readonly ids: ReadonlySet<string>; readonly working: readonly string[] }> {
  const ids = new Set<string>()
  const working: string[] = []
  const inBatch = batch === null ? null : new Set(batch.map(({ group, session }) => `${group}/${session}`))
  const asked = sessions.filter((session) => !isOver(session) || inBatch === null || inBatch.has(placeOf(session)))
  for (const [index, session] of asked.entries()) {
    interrupted.throwIfAborted()
    const hold = isOver(session) ? await readOver(reader, session) : await readGoingOn(reader, session)
    if (hold === null || hold.open !== 0 || hold.undelivered !== 0 || !isStopped(session))
      working.push(placeOf(session))
    if (!isOver(session)) for (const id of hold?.ids ?? []) ids.add(id)
    onRead({ read: index + 1, of: asked.length })
  }
  return { ids, working }
}

/** Null: it cannot be read, and so may owe something. */
async function readOver(reader: InstallationReader, session: V2Session): Promise<V2Hold | null> {
  try {
    return await reader.read('readHold', { group: session.group, session: session.id })
  } catch (error) {
    if (error instanceof SessiondError) return null
    throw error
  }
}

/**
 * Throws where it cannot be read, or where it has databases, or a container, but nothing says which conversations it goes
 * on with: it may need any file. That a later version keeps them elsewhere must not look as if there were none.
 */
async function readGoingOn(reader: InstallationReader, session: V2Session): Promise<V2Hold> {
  const hold = await reader.read('readHold', { group: session.group, session: session.id })
  if (hold.ids !== null || (!hold.hasDatabases && isStopped(session))) return hold
  const what = `Session ${placeOf(session)} is not closed on record, and which conversations it needs is not known: it has no outbound.db, or none with a table session_state of keys and values.`
  const fields = { root: reader.root, group: session.group, session: session.id }
  throw new SessiondError('REFERENCES_UNREADABLE', what, { fields })
}

/** What lies there belongs to none of the sessions on record: this is the wrong tree, or the wrong database. */
function strangers(root: string, sessions: number, folders: number, cure?: string): SessiondError {
  const what = `None of the ${sessions} sessions on record in ${root} has a folder, and ${folders} other folders are there.`
  return new SessiondError('REFERENCES_IMPLAUSIBLE', what, {
    fields: { root, sessions, folders },
    ...(cure === undefined ? {} : { cure }),
  })
}

const WITHOUT_ORPHANS = 'Look whether this is the right folder; if it is, leave --orphans away.'

const NOTHING: ActiveReferences = {
  ids: new Set(),
  openSessions: new Set(),
  closedSessions: new Set(),
  workingSessions: new Set(),
  liveRuns: new Set(),
  hasSessions: false,
}
