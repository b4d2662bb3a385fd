import { type BigIntStats, lstatSync, type Stats } from 'node:fs'

/** A name in the current folder; bytes where it is not valid UTF-8 and so has no text. */
export type EntryName = string | Buffer

/** A number of the file system, exact and always written the same way: a big integer where no other holds it. */
export type ExactNumber = number | bigint

/** What a name stands for right now, itself and not what it may link to. */
export interface Look {
  readonly kind: 'file' | 'folder' | 'other'
  readonly dev: ExactNumber
  readonly ino: ExactNumber
  readonly mtimeMs: number
  readonly ctimeMs: number
  /** Its length, by which a change shows. */
  readonly size: number
  /** What it takes of the disk. */
  readonly diskBytes: number
  /** Its names. */
  readonly links: number
}

const BLOCK_BYTES = 512
const NS_PER_MS = 1_000_000
const NS_PER_S = 1_000_000_000n
const PLAIN = { throwIfNoEntry: false } as const
const EXACT = { bigint: true, throwIfNoEntry: false } as const

/** Looks at one name in the current folder. Null: it is gone, or cannot be looked at. */
export function look(name: EntryName): Look | null {
  try {
    const seen = lstatSync(name, PLAIN)
    if (seen === undefined) return null
    if (Number.isSafeInteger(seen.ino) && Number.isSafeInteger(seen.dev))
      return lookOf(seen, seen.mtimeMs, seen.ctimeMs)
    // Inode numbers may need all 64 bits, which costs more to read.
    const exact = lstatSync(name, EXACT)
    return exact === undefined ? null : exactLookOf(exact)
  } catch {
    // Without permission to look there is nothing one could safely say about it.
    return null
  }
}

const TYPE_BITS = 0o170_000
const FILE_BITS = 0o100_000
const FOLDER_BITS = 0o040_000

function lookOf(
  {
    mode,
    dev,
    ino,
    size,
    blocks,
    nlink,
  }: Pick<Stats, 'mode' | 'size' | 'blocks' | 'nlink'> & Pick<Look, 'dev' | 'ino'>,
  mtimeMs: number,
  ctimeMs: number,
): Look {
  const type = mode & TYPE_BITS
  const kind = type === FILE_BITS ? 'file' : type === FOLDER_BITS ? 'folder' : 'other'
  return { kind, dev, ino, mtimeMs, ctimeMs, size, diskBytes: blocks * BLOCK_BYTES, links: nlink }
}

function exactLookOf({ mode, dev, ino, size, blocks, nlink, mtimeNs, ctimeNs }: BigIntStats): Look {
  const numbers = { mode: Number(mode), size: Number(size), blocks: Number(blocks), nlink: Number(nlink) }
  return lookOf({ ...numbers, dev: exact(dev), ino: exact(ino) }, toMs(mtimeNs), toMs(ctimeNs))
}

function exact(number: bigint): ExactNumber {
  return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : number
}

/** As it reads elsewhere, to the last digit: as one number, nanoseconds since 1970 are no more exact. */
function toMs(ns: bigint): number {
  return Number(ns / NS_PER_S) * 1_000 + Number(ns % NS_PER_S) / NS_PER_MS
}

/** Whether a call of the file system is not for this user, or nobody's on a disk that is not written. */
export function isNotPermitted(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error))
}

/** What went wrong with a call of the file system. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
