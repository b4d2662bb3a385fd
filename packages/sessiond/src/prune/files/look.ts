import { lstatSync } from 'node:fs'

/** A name in the current folder; bytes where it is not valid UTF-8 and so has no text. */
export type EntryName = string | Buffer

/** What a name stands for right now, itself and not what it may link to. */
export interface Look {
  readonly kind: 'file' | 'folder' | 'other'
  readonly dev: bigint
  readonly ino: bigint
  readonly mtimeMs: number
  /** Its length, by which a change shows. */
  readonly size: number
  /** What it takes of the disk. */
  readonly diskBytes: number
  /** Its names. */
  readonly links: number
}

const BLOCK_BYTES = 512
const NS_PER_MS = 1_000_000

/** Looks at one name in the current folder. Null: it is gone, or cannot be looked at. */
export function look(name: EntryName): Look | null {
  try {
    // Big integers, because inode numbers need all 64 bits.
    const seen = lstatSync(name, { bigint: true, throwIfNoEntry: false })
    if (seen === undefined) return null
    return {
      kind: seen.isFile() ? 'file' : seen.isDirectory() ? 'folder' : 'other',
      dev: seen.dev,
      ino: seen.ino,
      mtimeMs: Number(seen.mtimeNs) / NS_PER_MS,
      size: Number(seen.size),
      diskBytes: Number(seen.blocks) * BLOCK_BYTES,
      links: Number(seen.nlink),
    }
  } catch {
    // Without permission to look there is nothing one could safely say about it.
    return null
  }
}

/** What went wrong with a call of the file system. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
