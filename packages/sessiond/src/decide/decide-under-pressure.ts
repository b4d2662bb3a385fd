import type { ArtifactClass, RemovalReason } from '../model/artifact.ts'
import { ageOf, byAge } from './age-of-entry.ts'
import type { DecidedRemoval } from './decide-removals.ts'
import { namesByInode, type SeenEntry } from './seen-entry.ts'

export interface Pressure {
  readonly usedShare: number
  readonly highWaterShare: number
  readonly wantedBytes: number
}

/** What was written so lately is in use, whatever the disk needs. */
const QUIET_MS = 600_000

/** Whether a full disk is reason enough for this one to go within its bounds, as long as nothing protects it. */
export function mayGoUnderPressure(
  entry: Pick<SeenEntry, 'bytes' | 'linked' | 'sinceMs'>,
  { mayGoEarly }: Pick<ArtifactClass, 'mayGoEarly'>,
  nowMs: number,
): boolean {
  return mayGoEarly && costOf(entry, nowMs) > 0 && nowMs - entry.sinceMs > QUIET_MS
}

/** What an entry has cost so far: its bytes times its age. */
export function costOf(
  { bytes, linked, sinceMs }: Pick<SeenEntry, 'bytes' | 'linked' | 'sinceMs'>,
  nowMs: number,
): number {
  return (linked?.bytes ?? bytes) * ageOf({ sinceMs }, nowMs)
}

/**
 * Which of those that are free to go are to, where what is due gives too few bytes back: biggest and oldest first, by what
 * they have cost so far. The names of one file go together, and only if none of them is elsewhere.
 */
export function decideUnderPressure<Entry extends SeenEntry>(
  free: readonly Entry[],
  due: readonly DecidedRemoval<Entry>[],
  { pressure, nowMs }: { readonly pressure: Pressure; readonly nowMs: number },
): readonly { readonly entry: Entry; readonly reason: RemovalReason }[] {
  const { usedShare, highWaterShare, wantedBytes } = pressure
  const reason: RemovalReason = { bound: 'highWater', usedShare, highWaterShare }
  const names = namesByInode(free)
  const goneNames = namesByInode(due.map(({ entry }) => entry))
  const together = (entry: Entry): readonly Entry[] => {
    if (entry.linked === null) return [entry]
    const { inode, links } = entry.linked
    const own = names.get(inode) ?? []
    const isWhole = own.length + (goneNames.get(inode)?.length ?? 0) === links
    // One of them stands for all.
    return isWhole && own[0] === entry ? own : []
  }
  const candidates = free
    .filter((entry) => entry.linked === null || together(entry).length > 0)
    .sort((a, b) => costOf(b, nowMs) - costOf(a, nowMs) || byAge(a, b))
  const chosen: { entry: Entry; reason: RemovalReason }[] = []
  let bytes = due.reduce((sum, each) => sum + each.bytes, 0)
  for (const candidate of candidates) {
    if (bytes >= wantedBytes) break
    for (const entry of together(candidate)) chosen.push({ entry, reason })
    bytes += candidate.linked?.bytes ?? candidate.bytes
  }
  return chosen
}
