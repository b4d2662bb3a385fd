import { statfs } from 'node:fs/promises'
import { freeBytesOf, usedBytesOf } from '../disk-figures.ts'

/** How full a disk is for this user: what it holds, and what it could. */
export interface DiskUsage {
  readonly usedBytes: number
  /** Used and what this user may still write; what is reserved for root is neither. */
  readonly totalBytes: number
}

/** Reads it as `df` does; null: the disk cannot be asked, which is not the same as full. */
export async function readDiskUsage(path: string): Promise<DiskUsage | null> {
  try {
    const stats = await statfs(path)
    const usedBytes = usedBytesOf(stats)
    const totalBytes = usedBytes + freeBytesOf(stats)
    return totalBytes > 0 ? { usedBytes, totalBytes } : null
  } catch {
    // The store's own writes will say what is wrong with it.
    return null
  }
}

/** The used share, 0 to 1. */
export function usedShare({ usedBytes, totalBytes }: DiskUsage): number {
  return usedBytes / totalBytes
}
