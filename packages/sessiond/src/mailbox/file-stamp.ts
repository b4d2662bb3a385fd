import type { BigIntStats } from 'node:fs'

/** Names one state of a plain file: any write, replacement or change of owner gives another stamp. */
export function fileStamp(seen: BigIntStats): string | null {
  if (!seen.isFile()) return null
  return `${seen.dev}:${seen.ino}:${seen.size}:${seen.mtimeNs}:${seen.ctimeNs}`
}
