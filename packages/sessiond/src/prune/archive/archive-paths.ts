import { basename, dirname, join } from 'node:path'
import { sessionPaths } from '../../mailbox/session-paths.ts'
import type { ArtifactClass } from '../../model/artifact.ts'

/** Where a session's directory lies, and where its archive. Throws SESSION_NAME_INVALID. */
export function archivePaths(
  dataDir: string,
  sessionId: string,
): { readonly parent: string; readonly name: string; readonly folder: string; readonly archive: string } {
  // Checks both names, of which paths are made.
  sessionPaths(dataDir, sessionId)
  const [group = '', name = ''] = sessionId.split('/')
  const folder = join(dataDir, 'archives', group)
  return { parent: join(dataDir, 'sessions', group), name, folder, archive: join(dataDir, archivePath(sessionId)) }
}

/** Relative to the data directory; also what the journal and people are told. */
export function archivePath(sessionId: string): string {
  return join('archives', `${sessionId}.tar.gz`)
}

/** What an archive is called while it is written. */
export function unfinishedPath(archive: string): string {
  return join(dirname(archive), `.${basename(archive)}.part`)
}

/** The rule by which a group's archives go; nothing but their age counts, for each is all that is left of a session. */
export function archiveRule(dataDir: string, group: string, archivesMs: number): ArtifactClass {
  const bounds = { maxAgeMs: archivesMs, maxCount: null, maxBytes: null }
  const figures = { ageBy: 'writing', ...bounds, mayGoEarly: false } as const
  const root = join(dataDir, 'archives', group)
  return { name: 'archives', group, root, patterns: ['{session}.tar.gz'], ...figures, keep: [], protects: [] }
}
