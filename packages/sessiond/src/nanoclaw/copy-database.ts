import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import { lookCloselyAt } from '../mailbox/host-files.ts'
import { Unreadable } from './unreadable.ts'

/** Ends a journal that names a second file, which a rollback would look up and may delete. */
const SUPER_JOURNAL_END = Buffer.from('d9d505f920a163d7', 'hex')
/** What is copied beside a database. Its shared memory is made anew from these. */
const PARTS = ['-journal', '-wal'] as const
/** Two writes closer together than this may carry the same time of modification. */
const CLOCK_TICK_MS = 20
const PIECE_BYTES = 1024 * 1024
/** First bytes of a write-ahead log, in which every new log differs from the one before. */
const LOG_HEADER_BYTES = 32
/** Between two tries, in a process that has nothing else to do. */
const PAUSE_MS = 10
const PAUSE = new Int32Array(new SharedArrayBuffer(4))

export interface CopyLimits {
  /** No file of the database is copied that has grown beyond this. */
  readonly maxBytes: number
  readonly waitMs: number
}

/**
 * Copies a database with its journal or log, all as they were at one instant (C3), into `folder`; gives the copy's path.
 * Another program may be writing meanwhile: what changed under the copying is copied again, for `waitMs` at most, then
 * it throws Unreadable.
 */
export function copyDatabase(
  path: string,
  folder: string,
  { maxBytes, waitMs }: CopyLimits,
  now: () => number = Date.now,
): string {
  const copy = join(folder, basename(path))
  const beganMs = performance.now()
  do {
    if (copyOnce(path, copy, maxBytes, now)) return copy
    Atomics.wait(PAUSE, 0, 0, PAUSE_MS)
  } while (performance.now() - beganMs < waitMs)
  throw new Unreadable(`${path} cannot be read: another program keeps changing it.`)
}

/** False: somebody wrote in between, or took a part away. */
function copyOnce(path: string, copy: string, maxBytes: number, now: () => number): boolean {
  try {
    return copyParts(path, copy, maxBytes, now)
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return false
    throw error
  }
}

/**
 * False: somebody wrote in between. With a log the database may change under us all the same: whatever a checkpoint
 * copies into it stands in the log too, as long as the log was not begun anew; so the log comes last, and counts for
 * more. Without one nothing may have changed at all.
 */
function copyParts(path: string, copy: string, maxBytes: number, now: () => number): boolean {
  const before = lookAtParts(path)
  const hasLog = (before['-wal']?.size ?? 0n) > 0n
  const log = hasLog && before['-journal'] === undefined ? readLogHeader(path) : null
  if (log === null && isSettling(before, now())) return false
  for (const part of PARTS) rmSync(copy + part, { force: true })
  copyFile(path, copy, maxBytes)
  for (const part of PARTS) {
    if (before[part] !== undefined) copyFile(path + part, copy + part, maxBytes)
  }
  const after = lookAtParts(path)
  if (log !== null) {
    return isSameFile(before.db, after.db) && after['-journal'] === undefined && log.equals(readLogHeader(path))
  }
  const isSame = (['db', ...PARTS] as const).every((part) => isUnchanged(before[part], after[part]))
  if (isSame && before['-journal'] !== undefined) refuseSuperJournal(`${copy}-journal`)
  return isSame
}

type Parts = Readonly<Record<'db' | (typeof PARTS)[number], BigIntStats | undefined>>

function lookAtParts(path: string): Parts {
  return {
    db: lookCloselyAt(path),
    '-journal': lookCloselyAt(`${path}-journal`),
    '-wal': lookCloselyAt(`${path}-wal`),
  }
}

/** Written so lately that another write could hide behind the same time. */
function isSettling(parts: Parts, nowMs: number): boolean {
  const latestNs = [parts.db, parts['-journal'], parts['-wal']].map((seen) => seen?.mtimeNs ?? 0n)
  return latestNs.some((mtimeNs) => Math.abs(nowMs - Number(mtimeNs / 1_000_000n)) < CLOCK_TICK_MS)
}

function isUnchanged(before: BigIntStats | undefined, after: BigIntStats | undefined): boolean {
  if (before === undefined || after === undefined) return before === after
  return isSameFile(before, after) && before.size === after.size && before.mtimeNs === after.mtimeNs
}

function isSameFile(before: BigIntStats | undefined, after: BigIntStats | undefined): boolean {
  return before !== undefined && after !== undefined && before.ino === after.ino && before.dev === after.dev
}

function readLogHeader(path: string): Buffer {
  const header = Buffer.alloc(LOG_HEADER_BYTES)
  return withFile(`${path}-wal`, (fd) => header.subarray(0, readSync(fd, header, 0, LOG_HEADER_BYTES, 0)))
}

/** A copy is removed with its folder; a journal must not reach from there into anybody's files. */
function refuseSuperJournal(path: string): void {
  const end = withFile(path, (fd) => {
    const piece = Buffer.alloc(SUPER_JOURNAL_END.length)
    const { size } = fstatSync(fd)
    return piece.subarray(0, readSync(fd, piece, 0, piece.length, Math.max(0, size - piece.length)))
  })
  if (end.equals(SUPER_JOURNAL_END)) throw new Unreadable('The journal of a database names another file.')
}

function copyFile(from: string, to: string, maxBytes: number): void {
  withFile(from, (source) => {
    const target = openSync(to, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600)
    try {
      const piece = Buffer.alloc(PIECE_BYTES)
      // No further than it was: a file may grow for as long as one reads it.
      let left = fstatSync(source).size
      if (left > maxBytes) throw new Unreadable(`${from} has ${left} bytes, more than the ${maxBytes} that are read.`)
      while (left > 0) {
        const read = readSync(source, piece, 0, Math.min(left, PIECE_BYTES), null)
        if (read === 0) break
        writeSync(target, piece, 0, read)
        left -= read
      }
    } finally {
      closeSync(target)
    }
  })
}

/** Opens a plain file without following links or waiting for the other end of a pipe. */
function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const seen = fstatSync(fd)
    if (!seen.isFile() || seen.nlink > 1) throw new Unreadable(`${path} is not a plain file.`)
    return use(fd)
  } finally {
    closeSync(fd)
  }
}
