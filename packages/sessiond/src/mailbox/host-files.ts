import {
  type BigIntStats,
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
} from 'node:fs'
import { MailboxFailure } from './mailbox-failure.ts'

/** lstat that answers undefined for what is not there, and throws for what cannot be looked at. */
export function lookAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

/** Like lookAt, with nanoseconds. */
export function lookCloselyAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { throwIfNoEntry: false, bigint: true })
}

export interface DirectoryRules {
  readonly mode: number
  /** Null: leave the owner as it is. */
  readonly owner: { readonly uid: number; readonly gid: number } | null
  /** Owners an existing directory may have. */
  readonly acceptedOwners?: readonly number[]
}

/** Makes one directory, or checks that it is a real one; its parent must already be safe. */
export function ensureDirectory(path: string, rules: DirectoryRules): void {
  const isMade = makeDirectory(path)
  // A link is never followed: a run that replaced its directory must not choose where the host writes (G2, G3).
  const seen = lookAt(path)
  if (seen === undefined || !seen.isDirectory()) {
    throw new MailboxFailure('MAILBOX_UNSAFE', `${path} is not a real directory.`)
  }
  if (!isMade && rules.acceptedOwners !== undefined && !rules.acceptedOwners.includes(seen.uid)) {
    throw new MailboxFailure('MAILBOX_UNSAFE', `${path} belongs to user ${seen.uid}.`, {
      cure: "Give it, with what is in it, to the user the session's runs have.",
    })
  }
  if (rules.owner !== null) giveTo(path, seen, rules.owner)
  if ((isMade || rules.owner !== null) && (seen.mode & 0o777) !== rules.mode) chmodSync(path, rules.mode)
}

/** Gives a file or directory to a user, unless it is theirs. */
export function giveTo(
  path: string,
  seen: { readonly uid: number; readonly gid: number },
  owner: { readonly uid: number; readonly gid: number },
): void {
  if (seen.uid === owner.uid && seen.gid === owner.gid) return
  try {
    lchownSync(path, owner.uid, owner.gid)
  } catch (cause) {
    throw new MailboxFailure('DATA_DIR_UNUSABLE', `${path} cannot be given to user ${owner.uid}:${owner.gid}.`, {
      cause,
      cure: "Run sessiond as root, or let the group's runs have the user that runs sessiond.",
    })
  }
}

/** Removes whatever stands at `path`: links themselves, never what they point to; directories with their content. */
export function removeEntry(path: string): void {
  const seen = lookAt(path)
  if (seen === undefined) return
  if (seen.isDirectory()) rmSync(path, { recursive: true, force: true })
  else unlinkSync(path)
}

/** Suffixes of the files SQLite may keep beside a database. */
export const COMPANIONS = ['-journal', '-wal', '-shm'] as const

/** Puts a finished database in the place of an old one. */
export function replaceDatabase(fresh: string, place: string): void {
  // In this order: a hot journal beside the new file would be rolled into it. Killed half-way, there is no
  // database, which every reader takes for "not yet".
  const hasCompanion = COMPANIONS.some((suffix) => lookAt(place + suffix) !== undefined)
  if (hasCompanion || lookAt(place)?.isDirectory() === true) removeDatabase(place)
  renameSync(fresh, place)
}

/** Removes a database and then what SQLite keeps beside it. */
export function removeDatabase(place: string): void {
  removeEntry(place)
  for (const suffix of COMPANIONS) removeEntry(place + suffix)
}

function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path)
    return true
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'EEXIST') return false
    throw error
  }
}
