import type { UnarchivedSession } from '../store/store.ts'

/** When a try that came to nothing is made again. */
const AGAIN_AFTER_MS: Readonly<Record<string, number>> = {
  changed: 3_600_000,
  failed: 3_600_000,
  'no-room': 3_600_000,
}
const PERSON_WANTED_MS = 86_400_000

/** Whether a closed session is archived now. `closedSessionsMs` null: its directory stays. */
export function isArchiveDue(session: UnarchivedSession, closedSessionsMs: number | null, nowMs: number): boolean {
  if (closedSessionsMs === null || session.closedAtMs + closedSessionsMs > nowMs) return false
  // Further ahead than anything is put off, also by a cleaning that began at `nowMs` and is long at it: the clock has been
  // set back.
  return session.notBeforeMs <= nowMs || session.notBeforeMs > nowMs + 2 * PERSON_WANTED_MS
}

/** When a session that could not be archived is tried again; what only a person can mend, once a day. */
export function archiveAgainAtMs(because: string, nowMs: number): number {
  return nowMs + (AGAIN_AFTER_MS[because] ?? PERSON_WANTED_MS)
}
