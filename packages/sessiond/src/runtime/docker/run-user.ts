import type { RunUser } from '../runtime.ts'

/** Stands for nobody on the host: what runs get when the host itself is root. */
const UNPRIVILEGED: RunUser = { uid: 10001, gid: 10001 }

/** The user of a container run: the configured one, else the host's own unless that is root, else nobody's. */
export function dockerRunUser(configured: RunUser | null): RunUser {
  if (configured !== null) return configured
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  return uid === 0 ? UNPRIVILEGED : { uid, gid }
}
