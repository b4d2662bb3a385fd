/** What is known of the disk that holds the data directory. */
export interface DiskFacts {
  /** Whether it was found low and has not been found recovered since. */
  readonly isLow: boolean
  /** Null: it cannot be asked. */
  readonly freeBytes: number | null
  readonly floorBytes: number
}

export interface DiskDecision {
  /** Whether anything new may begin. A disk that cannot be asked is not a full one. */
  readonly isLow: boolean
  /** What to put on record, once; null: nothing has changed, or nothing is known. */
  readonly note: 'low' | 'recovered' | null
  /** So much must be free for new work to begin. */
  readonly wantedBytes: number
}

/** More than what is free rises and falls by itself (logs, journals of databases), so that nobody is told in turns. */
const REST_SHARE = 0.05
const MAX_REST_BYTES = 256 * 1024 * 1024

/** Decides whether the disk is too full for new work. Low below the floor; recovered only some way above it. */
export function decideDisk({ isLow, freeBytes, floorBytes }: DiskFacts): DiskDecision {
  const recoveredBytes = floorBytes + Math.min(Math.ceil(floorBytes * REST_SHARE), MAX_REST_BYTES)
  const wantedBytes = isLow ? recoveredBytes : floorBytes
  if (freeBytes === null) return { isLow: false, note: null, wantedBytes }
  if (freeBytes < wantedBytes) return { isLow: true, note: isLow ? null : 'low', wantedBytes: recoveredBytes }
  return { isLow: false, note: isLow ? 'recovered' : null, wantedBytes: floorBytes }
}
