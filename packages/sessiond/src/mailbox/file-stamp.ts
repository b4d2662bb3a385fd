import type { BigIntStats } from 'node:fs'
import { lstat } from 'node:fs/promises'

/** Names one state of a plain file: any write, replacement or change of owner gives another stamp. */
export function fileStamp(seen: BigIntStats): string | null {
  if (!seen.isFile()) return null
  return `${seen.dev}:${seen.ino}:${seen.size}:${seen.mtimeNs}:${seen.ctimeNs}`
}

/** The stamp of what lies there now; null: nothing, nothing plain, or not to be looked at. Follows no link. */
export async function stampOf(path: string): Promise<string | null> {
  try {
    return fileStamp(await lstat(path, { bigint: true }))
  } catch {
    // Absent or not to be looked at: a state of its own, which a take then names.
    return null
  }
}
