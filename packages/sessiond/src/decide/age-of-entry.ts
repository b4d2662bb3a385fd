import type { ArtifactClass } from '../model/artifact.ts'
import type { SeenEntry } from './seen-entry.ts'

/** Clocks of file systems and hosts differ by less; what is newer than now by more has no age one could trust. */
const CLOCK_SKEW_MS = 60_000

/** Whether a time lies ahead. */
export function isFuture(atMs: number, nowMs: number): boolean {
  return atMs > nowMs + CLOCK_SKEW_MS
}

/**
 * From when on a file's age counts. Whoever owns it may date it as he likes: a time to come is no time of writing, and
 * then counts when the file system last saw a change of it, which nobody can set. It also tells when a file came here
 * that has brought an old time along.
 */
export function sinceOf(
  { mtimeMs, ctimeMs }: { readonly mtimeMs: number; readonly ctimeMs: number },
  ageBy: ArtifactClass['ageBy'],
  nowMs: number,
): number {
  const writtenMs = isFuture(mtimeMs, nowMs) ? ctimeMs : mtimeMs
  return ageBy === 'arrival' ? Math.max(writtenMs, ctimeMs) : writtenMs
}

export function ageOf({ sinceMs }: Pick<SeenEntry, 'sinceMs'>, nowMs: number): number {
  return Math.max(0, nowMs - sinceMs)
}

/** Oldest first. Of the same age: in the order in which they were, because sorting is stable. */
export function byAge(a: Pick<SeenEntry, 'sinceMs'>, b: Pick<SeenEntry, 'sinceMs'>): number {
  return a.sinceMs - b.sinceMs
}
