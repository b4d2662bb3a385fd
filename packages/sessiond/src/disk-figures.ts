import type { StatsFs } from 'node:fs'

type Counts = Pick<StatsFs, 'blocks' | 'bfree' | 'bavail' | 'bsize'> & Partial<Pick<StatsFs, 'frsize'>>

/** What this user may still write to a file system. */
export function freeBytesOf(stats: Counts): number {
  return stats.bavail * unitBytesOf(stats)
}

/** What a file system holds. */
export function usedBytesOf(stats: Counts): number {
  return (stats.blocks - stats.bfree) * unitBytesOf(stats)
}

/**
 * What the counts of `statfs` count: fundamental blocks (POSIX statvfs), which shared and user-space file systems may have
 * smaller than the blocks that are best for input and output. Early releases of Node 24 do not tell them.
 */
function unitBytesOf({ frsize = 0, bsize }: Counts): number {
  return frsize > 0 ? frsize : bsize
}
