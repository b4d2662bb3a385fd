import { MailboxFailure } from '../mailbox/mailbox-failure.ts'

/** Something of an installation cannot be read; `what` is a whole sentence that names the file. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

const WORDS: Readonly<Record<number, string>> = {
  5: 'another program holds it',
  6: 'another program holds it',
  7: 'it needs more memory than a reader has',
  8: 'it has an unfinished transaction',
  10: 'the disk does not give it',
  11: 'it is damaged',
  13: 'there is no room for a copy of it',
  14: 'it cannot be opened',
  18: 'it holds a value that is too large',
  26: 'it is no database',
}

/** Turns whatever reading `file` met into an Unreadable; no driver's code leaves it. */
export function unreadable(file: string, error: unknown): Unreadable {
  if (error instanceof Unreadable) return error
  return new Unreadable(`${file} cannot be read: ${reasonOf(error)}.`, { cause: error })
}

function reasonOf(error: unknown): string {
  if (error instanceof MailboxFailure) return lowerFirst(error.message).replace(/\.$/, '')
  const sqlite = sqliteCode(error)
  if (sqlite !== undefined) return WORDS[sqlite] ?? 'it is not what its schema says'
  const system = error instanceof Error ? Reflect.get(error, 'code') : undefined
  if (system === 'ENOSPC' || system === 'EDQUOT') return 'there is no room for a copy of it'
  if (system === 'EACCES' || system === 'EPERM') return 'this user may not read it'
  return `a fault of the system (${typeof system === 'string' ? system : 'unnamed'})`
}

function sqliteCode(error: unknown): number | undefined {
  const code = error instanceof Error ? Reflect.get(error, 'errcode') : undefined
  return typeof code === 'number' ? code & 0xff : undefined
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
