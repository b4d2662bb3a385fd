import { type BigIntStats, lstatSync } from 'node:fs'
import type { EntryName } from '../files/look.ts'
import type { Place } from '../files/place.ts'
import { readFolderBytes } from '../files/read-folder.ts'
import type { ArchiveLimits, Refusal } from './archive-messages.ts'

/** One thing in a session's directory, itself and not what it may link to. */
export interface TreeEntry {
  /** In the folder where the place stands. */
  readonly name: EntryName
  /** Below the session's directory; no two entries have the same. */
  readonly path: Buffer
  readonly seen: BigIntStats
}

/** The tree cannot be walked as a whole; nothing of it may be removed then. */
export class TreeRefused extends Error {
  readonly because: Refusal
  /** For people: bytes without a text show as such. */
  readonly path: string | null

  constructor(because: Refusal, path: Buffer | null) {
    super(`${because}: ${path ?? ''}`)
    this.because = because
    this.path = path?.toString() ?? null
  }
}

interface Folder {
  readonly name: EntryName
  readonly path: Buffer
}

const SLASH = Buffer.from('/')

/**
 * All that is below the folder where `place` stands, in an order that depends on names alone, each entry while the place
 * stands in its folder. Throws TreeRefused at the first thing that cannot be seen, or is beyond the limits.
 */
export function* walkSession(place: Place, limits: ArchiveLimits): Generator<TreeEntry, void> {
  const begin = place.depth
  const counts = { entries: 0, bytes: 0n }
  function* open(path: Buffer): Generator<TreeEntry, Folder[]> {
    const folders: Folder[] = []
    for (const name of namesHere(path, limits.entries - counts.entries)) {
      const entry = { name, path: below(path, name), seen: lookAt(name, path) }
      counts.entries += 1
      if (entry.seen.isFile()) counts.bytes += entry.seen.size
      if (counts.bytes > limits.bytes) throw new TreeRefused('too-big', entry.path)
      yield entry
      if (entry.seen.isDirectory()) folders.push(entry)
    }
    return folders
  }
  const levels = [yield* open(Buffer.alloc(0))]
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    if (!place.returnTo(begin + levels.length - 1)) throw new TreeRefused('changed', null)
    const next = level.pop()
    if (next === undefined) {
      levels.pop()
      continue
    }
    if (levels.length > limits.depth) throw new TreeRefused('too-deep', next.path)
    enter(place, next)
    levels.push(yield* open(next.path))
  }
}

function below(path: Buffer, name: EntryName): Buffer {
  const own = Buffer.from(name)
  return path.length === 0 ? own : Buffer.concat([path, SLASH, own])
}

function enter(place: Place, { name, path }: Folder): void {
  const how = place.down(name)
  if (how === 'missing') throw new TreeRefused('changed', path)
  if (how !== 'entered') throw new TreeRefused(how === 'elsewhere' ? 'elsewhere' : 'unreadable', path)
}

function namesHere(path: Buffer, room: number): EntryName[] {
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
  return inOrder(names, path)
}

/**
 * Sorted by their bytes. A name that is moved about while its folder is read may be read twice, which is refused: in an
 * archive the second one could be a link, and what is below the first would be unpacked to where that leads.
 */
export function inOrder(names: readonly EntryName[], path: Buffer): EntryName[] {
  const sorted = [...names].sort(compareBytes)
  const isTwice = sorted.some((name, index) => index > 0 && compareBytes(name, sorted[index - 1] ?? '') === 0)
  if (isTwice) throw new TreeRefused('changed', path)
  return sorted
}

function compareBytes(a: EntryName, b: EntryName): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function lookAt(name: EntryName, path: Buffer): BigIntStats {
  const seen = lstatSync(name, { bigint: true, throwIfNoEntry: false })
  if (seen === undefined) throw new TreeRefused('changed', path)
  return seen
}
