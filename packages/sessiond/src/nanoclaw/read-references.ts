import { join } from 'node:path'
import type { ActiveReferences } from '../model/artifact.ts'
import { SessiondError } from '../model/errors.ts'
import {
  CENTRAL,
  type Layout,
  SESSIONS,
  type V1Record,
  V2_SESSION_PREFIX,
  type V2Record,
  type V2Session,
} from './installation.ts'
import type { InstallationReader } from './installation-reader.ts'
import { listSessionFolders } from './session-folders.ts'

/** What must not be touched, and what of the tree nobody has on record. */
export interface LayoutReferences {
  readonly active: ActiveReferences
  /** `<group>/<session>` of session folders that no session on record has. */
  readonly orphans: readonly string[]
}

export interface ReferenceOptions {
  /** True: session folders that are not on record are nobody's. */
  readonly removesOrphans: boolean
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
  const folders = await listSessionFolders(join(reader.root, ...SESSIONS[layout]))
  try {
    if (layout === 'nanoclaw-v1') return ofV1(await recorded(reader, layout, 'readV1'), folders, reader.root)
    return await ofV2(reader, await recorded(reader, layout, 'readV2'), folders, options)
  } catch (error) {
    if (!(error instanceof SessiondError) || error.code !== 'INSTALLATION_UNREADABLE') throw error
    const what = error.message.slice(0, error.message.length - error.cure.length).trimEnd()
    throw new SessiondError('REFERENCES_UNREADABLE', what, { fields: error.fields, cause: error })
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
  refuseStrangers(root, [...folders.keys()], (name) => groups.has(name), record.sessions.length)
  return {
    active: { ...NOTHING, ids: new Set(record.sessions.map(({ id }) => id)), hasSessions: record.sessions.length > 0 },
    orphans: [],
  }
}

async function ofV2(
  reader: InstallationReader,
  record: V2Record,
  folders: ReadonlyMap<string, readonly string[]>,
  options: ReferenceOptions,
): Promise<LayoutReferences> {
  const found = [...folders].flatMap(([group, names]) => names.map((name) => `${group}/${name}`))
  const known = new Map(record.sessions.map((session) => [`${session.group}/${session.id}`, session]))
  refuseStrangers(reader.root, found, (place) => known.has(place), record.sessions.length)
  const orphans = found.filter((place) => !known.has(place))
  const held = await readHolds(reader, record.sessions, new Set(found))
  const open = record.sessions
    .filter((session) => !isClosed(session))
    .map((session) => `${session.group}/${session.id}`)
  return {
    active: {
      ...NOTHING,
      ids: held.ids,
      openSessions: new Set([...open, ...(options.removesOrphans ? [] : orphans)].flatMap(asCaptured)),
      workingSessions: new Set(held.working.flatMap(asCaptured)),
      hasSessions: record.sessions.length > 0,
    },
    orphans,
  }
}

/** Anything but this word is a session that goes on, whatever a later version calls it. */
function isClosed({ status }: V2Session): boolean {
  return status === 'closed'
}

async function readHolds(
  reader: InstallationReader,
  sessions: readonly V2Session[],
  found: ReadonlySet<string>,
): Promise<{ readonly ids: ReadonlySet<string>; readonly working: readonly string[] }> {
  const ids = new Set<string>()
  const working: string[] = []
  for (const session of sessions) {
    const place = `${session.group}/${session.id}`
    if (!found.has(place)) continue
    const hold = await readHold(reader, session)
    if (hold === null || hold.open > 0 || hold.undelivered > 0 || !isStopped(session)) working.push(place)
    if (!isClosed(session) || hold === null || !isStopped(session)) for (const id of hold?.ids ?? []) ids.add(id)
  }
  return { ids, working }
}

/** Null: a closed session that cannot be read may owe something. Any other that cannot throws: it may need any file. */
async function readHold(reader: InstallationReader, session: V2Session) {
  try {
    return await reader.read('readHold', { group: session.group, session: session.id })
  } catch (error) {
    if (isClosed(session) && isStopped(session) && error instanceof SessiondError) return null
    throw error
  }
}

function isStopped({ containerStatus }: V2Session): boolean {
  return containerStatus === null || containerStatus === 'stopped'
}

/** Sessions as the pattern of their folders captures them. */
function asCaptured(place: string): string[] {
  const slash = place.indexOf('/')
  const name = place.slice(slash + 1)
  if (!name.startsWith(V2_SESSION_PREFIX)) return []
  return [`${place.slice(0, slash)}/${name.slice(V2_SESSION_PREFIX.length)}`]
}

/** What lies there belongs to none of the sessions on record: this is the wrong tree, or the wrong database. */
function refuseStrangers(
  root: string,
  found: readonly string[],
  isKnown: (place: string) => boolean,
  sessions: number,
): void {
  if (found.length === 0 || found.some(isKnown)) return
  const what = `None of the ${sessions} sessions on record in ${root} has a folder, and ${found.length} other folders are there.`
  throw new SessiondError('REFERENCES_IMPLAUSIBLE', what, { fields: { root, sessions, folders: found.length } })
}

const NOTHING: ActiveReferences = {
  ids: new Set(),
  openSessions: new Set(),
  closedSessions: new Set(),
  workingSessions: new Set(),
  liveRuns: new Set(),
  hasSessions: false,
}
