import type { ErrorCode } from '../model/errors.ts'
import { MailboxFailure } from './mailbox-failure.ts'

const SQLITE = {
  busy: 5,
  locked: 6,
  noMemory: 7,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
} as const
const SQLITE_TOO_BIG = 18
const SQLITE_NOT_A_DB = 26

/** Codes of one file owner's world: a run's file may be hostile, the host's own file is at worst damaged. */
export type FileOwner = 'host' | 'run'

/** Turns whatever a reader process met into a MailboxFailure; no driver's code or path leaves it. */
export function translateFailure(error: unknown, owner: FileOwner): MailboxFailure {
  if (error instanceof MailboxFailure) return error
  const sqlite = numberField(error, 'errcode')
  if (sqlite !== undefined) return translateSqlite(sqlite, owner, error)
  const system = textField(error, 'code')
  if (system === 'ENOSPC' || system === 'EDQUOT') {
    return new MailboxFailure('DISK_FULL', 'The disk is full.', { cause: error })
  }
  if (owner === 'run')
    return new MailboxFailure('MAILBOX_UNSAFE', `A mailbox file cannot be read (${system ?? 'fault'}).`)
  return new MailboxFailure('DATA_DIR_UNUSABLE', `A mailbox file cannot be written (${system ?? 'fault'}).`)
}

/** Tells whether `error` is SQLite's word for a lock another connection holds. */
export function isBusy(error: unknown): boolean {
  const code = (numberField(error, 'errcode') ?? 0) & 0xff
  return code === SQLITE.busy || code === SQLITE.locked
}

function translateSqlite(extended: number, owner: FileOwner, cause: unknown): MailboxFailure {
  const fail = (code: ErrorCode, what: string) => new MailboxFailure(code, `${what} (SQLite ${extended}).`, { cause })
  switch (extended & 0xff) {
    case SQLITE.busy:
    case SQLITE.locked:
      return fail('MAILBOX_BUSY', 'Another connection holds the mailbox')
    // A read-only reader may not roll a hot journal back: its writer was killed, or is between two system calls.
    case SQLITE.readOnly:
      return fail('MAILBOX_BUSY', 'The mailbox has an unfinished transaction')
    case SQLITE.ioError:
      return fail('MAILBOX_BUSY', 'The mailbox could not be read or written')
    case SQLITE.full:
      return fail('DISK_FULL', 'The disk is full')
    // Rows or schemas no honest runner writes: over every bound, or more memory than a reader has.
    case SQLITE.noMemory:
    case SQLITE_TOO_BIG:
      return fail('MAILBOX_UNSAFE', 'The mailbox exceeds a bound')
    case SQLITE.cantOpen:
      return owner === 'run'
        ? fail('MAILBOX_UNSAFE', 'The mailbox cannot be opened')
        : fail('DATA_DIR_UNUSABLE', 'The mailbox cannot be opened')
    case SQLITE.corrupt:
    case SQLITE_NOT_A_DB:
      return fail('MAILBOX_TORN', 'The mailbox is damaged')
    default:
      return fail('MAILBOX_TORN', 'The mailbox is not what its schema says')
  }
}

function numberField(error: unknown, name: string): number | undefined {
  const value = error instanceof Error ? Reflect.get(error, name) : undefined
  return typeof value === 'number' ? value : undefined
}

function textField(error: unknown, name: string): string | undefined {
  const value = error instanceof Error ? Reflect.get(error, name) : undefined
  return typeof value === 'string' ? value : undefined
}
