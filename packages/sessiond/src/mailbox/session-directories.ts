import { dirname, join } from 'node:path'
import { ensureDirectory } from './host-files.ts'
import type { SessionPaths } from './mailbox.ts'
import type { RunUser } from './operations.ts'

/** Runs' users may pass through, so that mounts and plain processes reach their own part, but not look around. */
const PASSAGE = { mode: 0o711, owner: null }

/** Makes or checks the directories only the host writes to, level by level from the data directory down. */
export function ensureHostDirectories(dataDir: string, paths: SessionPaths): void {
  const group = dirname(paths.root)
  for (const path of [join(dataDir, 'sessions'), group, paths.root]) ensureDirectory(path, PASSAGE)
  ensureDirectory(paths.in, { mode: 0o755, owner: null })
  ensureDirectory(paths.runs, { mode: 0o700, owner: null })
}

/** Makes or checks the directories of the run, which belong to its user; what is in them is never touched. */
export function ensureRunDirectories(paths: SessionPaths, user: RunUser | null): void {
  const host = hostUser()
  const owner = user ?? host
  for (const path of [paths.out, paths.work]) {
    ensureDirectory(path, { mode: 0o700, owner, acceptedOwners: [owner.uid, host.uid] })
  }
}

/** The user this process runs as. */
export function hostUser(): RunUser {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
}
