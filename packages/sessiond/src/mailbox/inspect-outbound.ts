import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { OUTBOUND_DB } from '@sessiond/protocol'
import { COMPANIONS, lookAt } from './host-files.ts'
import type { SessionPaths } from './mailbox.ts'
import { MailboxFailure } from './mailbox-failure.ts'
import { hostUser } from './session-directories.ts'

/** The files of an `outbound.db` that may be opened, as they were looked at. */
export interface OutboundFiles {
  readonly path: string
  readonly db: Stats
  /** Suffixes of the companions that exist. */
  readonly companions: readonly string[]
}

/**
 * Looks at `outbound.db` and its companions without opening anything: plain files, one name each, of the
 * expected owner, within the size bound; anything else is MAILBOX_UNSAFE (G4). Undefined: there is none.
 */
export function inspectOutbound(paths: SessionPaths, maxFileBytes: number): OutboundFiles | undefined {
  const out = lookAt(paths.out)
  if (out === undefined) return undefined
  if (!out.isDirectory()) throw unsafe('out/ is not a real directory')
  // out/ belongs to the run's user since the host gave it away, and the run cannot give it to anybody else.
  const owners = [out.uid, hostUser().uid]
  const path = join(paths.out, OUTBOUND_DB)
  const companions = COMPANIONS.filter((suffix) => lookAtPlain(path + suffix, owners, maxFileBytes) !== undefined)
  const db = lookAtPlain(path, owners, maxFileBytes)
  return db === undefined ? undefined : { path, db, companions }
}

function lookAtPlain(path: string, owners: readonly number[], maxBytes: number): Stats | undefined {
  const seen = lookAt(path)
  if (seen === undefined) return undefined
  if (!seen.isFile()) throw unsafe('a mailbox file is a link, a pipe, a directory or a device')
  if (seen.nlink > 1) throw unsafe('a mailbox file has a second name')
  if (!owners.includes(seen.uid)) throw unsafe(`a mailbox file belongs to user ${seen.uid}`)
  if (seen.size > maxBytes) throw unsafe(`a mailbox file has ${seen.size} bytes, more than ${maxBytes}`)
  return seen
}

/** Reads the start or, with a negative `from`, the end of a file already looked at, following and waiting for nothing. */
export function readPiece(path: string, expected: Stats | null, from: number, bytes: number): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const seen = fstatSync(fd)
    if (!seen.isFile() || (expected !== null && !isSameFile(seen, expected)))
      throw unsafe('a mailbox file was exchanged')
    const piece = Buffer.alloc(bytes)
    const read = readSync(fd, piece, 0, bytes, from < 0 ? Math.max(0, seen.size + from) : from)
    return piece.subarray(0, read)
  } finally {
    // Before SQLite opens the file: closing any descriptor of it would drop SQLite's locks.
    closeSync(fd)
  }
}

/**
 * Throws unless one of this process's descriptors is the file that was looked at: a run may exchange it between
 * the look and SQLite's open, which follows links.
 */
export function assertOpened(expected: Stats): void {
  for (const name of readdirSync('/dev/fd')) {
    const seen = fstatOf(Number(name))
    if (seen !== undefined && isSameFile(seen, expected)) return
  }
  throw unsafe('a mailbox file was exchanged')
}

/** A failure that says the run made something else of its mailbox. */
export function unsafe(what: string): MailboxFailure {
  return new MailboxFailure('MAILBOX_UNSAFE', `${what.charAt(0).toUpperCase()}${what.slice(1)}.`)
}

function fstatOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd)
  } catch {
    // The listing's own descriptor is closed by now.
    return undefined
  }
}

function isSameFile(a: Stats, b: Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino
}
