import { type BigIntStats, lstatSync } from 'node:fs'
import type { EntryName } from '../files/look.ts'
import type { Place } from '../files/place.ts'
import { readFolderBytes } from '../files/read-folder.ts'
import type { ArchiveLimits, Refusal } from './archive-messages.ts'

/** One thing in a session's directory, itself and not what it may link to. */
export interface TreeEntry {
  /** In the folder where the place stands. */
  readonly name: EntryName
  /** Below the session's directory, in text: bytes that have none are told in hexadecimal. */
  readonly path: string
  readonly seen: BigIntStats
}

/** The tree cannot be walked as a whole; nothing of it may be removed then. */
export class TreeRefused extends Error {
  readonly because: Refusal
  readonly path: string | null

  constructor(because: Refusal, path: string | null) {
    super(`${because}: ${path ?? ''}`)
    this.because = because
    this.path = path
  }
}

interface Folder {
  readonly name: EntryName
  readonly path: string
}

/**
 * Visits all that is below the folder where `place` stands, in an order that depends on names alone, each entry while
 * the place stands in its folder. Throws TreeRefused at the first thing that cannot be seen, or is beyond the limits.
 */
export async function walkSession(
  place: Place,
  limits: ArchiveLimits,
  visit: (entry: TreeEntry) => void | Promise<void>,
): Promise<void> {
  const begin = place.depth
  const counts = { entries: 0, bytes: 0n }
  const open = async (path: string): Promise<Folder[]> => {
    const folders: Folder[] = []
    for (const name of namesHere(path, limits.entries - counts.entries)) {
      const entry = { name, path: path === '' ? textOf(name) : `${path}/${textOf(name)}`, seen: lookAt(name, path) }
      counts.entries += 1
      if (entry.seen.isFile()) counts.bytes += entry.seen.size
      if (counts.bytes > limits.bytes) throw new TreeRefused('too-big', entry.path)
      await visit(entry)
      if (entry.seen.isDirectory()) folders.push(entry)
    }
    return folders
  }
  const levels = [await open('')]
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    if (!place.returnTo(begin + levels.length - 1)) throw new TreeRefused('changed', null)
    const next = level.pop()
    if (next === undefined) {
      levels.pop()
      continue
    }
    if (levels.length > limits.depth) throw new TreeRefused('too-deep', next.path)
    enter(place, next)
    levels.push(await open(next.path))
  }
}

function enter(place: Place, { name, path }: Folder): void {
  const how = place.down(name)
  if (how === 'missing') throw new TreeRefused('changed', path)
  if (how !== 'entered') throw new TreeRefused(how === 'elsewhere' ? 'elsewhere' : 'unreadable', path)
}

function namesHere(path: string, room: number): EntryName[] {
  const names: EntryName[] = []
  try {
    for (const { name } of readFolderBytes()) {
      names.push(name)
      if (names.length > room) break
    }
  } catch {
    throw new TreeRefused('unreadable', path)
  }
  if (names.length > room) throw new TreeRefused('too-many', path)
  return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function lookAt(name: EntryName, path: string): BigIntStats {
  const seen = lstatSync(name, { bigint: true, throwIfNoEntry: false })
  if (seen === undefined) throw new TreeRefused('changed', path)
  return seen
}

function textOf(name: EntryName): string {
  return typeof name === 'string' ? name : `bytes-${name.toString('hex')}`
}
