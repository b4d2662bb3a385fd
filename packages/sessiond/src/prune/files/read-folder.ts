import { type Dir, type Dirent, opendirSync } from 'node:fs'
import type { EntryName } from './look.ts'

/** Entries that are asked of the system at once: a folder of millions is never in memory as a whole. */
const PIECE = 512

/** What the current folder holds, one by one, without `.` and `..`. Throws when it cannot be read. */
export function* readFolder(): Iterable<Dirent> {
  const folder = opendirSync('.', { bufferSize: PIECE })
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) yield entry
  } finally {
    folder.closeSync()
  }
}

/** The same with every name usable: where one has no text, as bytes. */
export function* readFolderBytes(): Iterable<{ readonly name: EntryName; readonly isFolder: boolean }> {
  // The types leave out that names are bytes then.
  const folder = opendirSync('.', { bufferSize: PIECE, encoding: 'buffer' as BufferEncoding }) as Dir
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      yield { name: nameOf(entry.name as unknown as Buffer), isFolder: entry.isDirectory() }
    }
  } finally {
    folder.closeSync()
  }
}

/** Stands in a text for bytes that mean nothing; a name with it may be another one on disk. */
const UNREADABLE = '\uFFFD'

/** Whether a name read as text is the name on disk. */
export function isText(name: string): boolean {
  return !name.includes(UNREADABLE)
}

function nameOf(bytes: Buffer): EntryName {
  const text = bytes.toString()
  return isText(text) ? text : bytes
}
