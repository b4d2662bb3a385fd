import { join } from 'node:path'
import type { SessionPolicy } from '../decide/decide-session.ts'
import { SessiondError } from '../model/errors.ts'
import { CENTRAL, SESSIONS, type V2Group, type V2Session } from './installation.ts'
import type { InstallationReader } from './installation-reader.ts'
import { type InspectedSession, judgeV2, unjudged } from './judge-v2.ts'
import { findFolders, orphansOf, placesOf } from './session-folders.ts'

export interface InstallationInspection {
  readonly root: string
  readonly atMs: number
  readonly groups: readonly V2Group[]
  readonly sessions: readonly InspectedSession[]
  /** `<agent group>/<session>` of session folders that are not on record. */
  readonly orphans: readonly string[]
  /** Absolute; in these there may be more of them. */
  readonly unreadableFolders: readonly string[]
}

/**
 * Shows a v2 installation as sessiond sees it, and what its policy would do now; writes nothing. A session that cannot be
 * read is told as such, and costs the others nothing but a few seconds; so is a folder that cannot be listed. Throws
 * INSTALLATION_UNREADABLE when the sessions themselves are not known.
 */
export async function inspectInstallation(
  reader: InstallationReader,
  policy: SessionPolicy,
  now: () => number,
): Promise<InstallationInspection> {
  const record = await reader.read('readV2', {})
  if (record === null) {
    const file = join(reader.root, ...CENTRAL['nanoclaw-v2'])
    throw new SessiondError('INSTALLATION_UNREADABLE', `${file} is missing or empty.`, {
      fields: { root: reader.root },
    })
  }
  const sessions: InspectedSession[] = []
  for (const session of record.sessions) sessions.push(await inspectSession(reader, session, policy, now))
  const known = new Set(sessions.map(({ id }) => id))
  const { folders, unreadable } = await findFolders(join(reader.root, ...SESSIONS['nanoclaw-v2']))
  return {
    root: reader.root,
    atMs: now(),
    groups: record.groups,
    sessions,
    orphans: orphansOf(placesOf(folders), (place) => known.has(place)),
    unreadableFolders: unreadable.map(({ folder }) => folder),
  }
}

async function inspectSession(
  reader: InstallationReader,
  session: V2Session,
  policy: SessionPolicy,
  now: () => number,
): Promise<InspectedSession> {
  try {
    const state = await reader.read('readState', { group: session.group, session: session.id })
    // After the reading, so that nothing in it lies in the future.
    return state === null ? unjudged(session, { seen: 'missing' }) : judgeV2(session, state, policy, now())
  } catch (error) {
    if (!(error instanceof SessiondError)) throw error
    return unjudged(session, { seen: 'unreadable', because: error.what })
  }
}
