import { type EntryName, type ExactNumber, type Look, look } from './look.ts'
import type { Place } from './place.ts'
import { readFolderBytes } from './read-folder.ts'
import { type FolderWalk, walkFolders } from './walk-folders.ts'

/** A folder that is one unit, with all that is below it. */
export interface FolderMeasure {
  /** Of itself and all within: when one of them was last written. */
  readonly newestMs: number
  /** From when on its age counts. */
  readonly sinceMs: number
  /** Lengths of its files, by which a change shows. */
  readonly size: number
  /** Given back when all of it goes. */
  readonly bytes: number
  readonly files: number
}

/** Files with several names that are followed; what more there are gives nothing back. */
const MAX_LINKED = 500_000
/** Entries looked at between two pauses. */
const PIECE = 256
/** Going into a folder costs as much as so many looks at a file. */
export const LOOKS_OF_FOLDER = 20

/** How many looks there are left: folders that are moved about meanwhile are met again and again. */
export interface Looks {
  left: number
}

/**
 * Measures the folder where `place` stands, with pauses. Null: part of it cannot be seen, was moved meanwhile, or takes
 * more than the looks there are. Otherwise the place is the same afterwards.
 */
export function* measureFolder(
  place: Place,
  sinceOf: (seen: Look) => number,
  looks: Looks,
): Generator<void, FolderMeasure | null> {
  const measuring = new Measuring(sinceOf, looks)
  const isBack = yield* walkFolders(place, null, measuring)
  return measuring.isWhole && isBack ? measuring.sums : null
}

class Measuring implements FolderWalk<null> {
  readonly findsBack = false
  isWhole = true
  readonly sums = {
    newestMs: Number.NEGATIVE_INFINITY,
    sinceMs: Number.NEGATIVE_INFINITY,
    size: 0,
    bytes: 0,
    files: 0,
  }
  readonly #sinceOf: (seen: Look) => number
  readonly #looks: Looks
  /** Names seen of each file that has several. */
  readonly #namesSeen = new Map<ExactNumber, number>()

  constructor(sinceOf: (seen: Look) => number, looks: Looks) {
    this.#sinceOf = sinceOf
    this.#looks = looks
  }

  get isOver(): boolean {
    // What is seen in part is not removed, so the rest does not matter.
    return !this.isWhole
  }

  *read(_folder: null, room: number): Generator<void, EntryName[]> {
    yield
    this.#spend(LOOKS_OF_FOLDER)
    const names: EntryName[] = []
    try {
      const seen = look('.')
      if (seen === null) this.isWhole = false
      else this.#addTimes(seen)
      let count = 0
      for (const { name, isFolder } of readFolderBytes()) {
        if (!isFolder) this.#addFile(name)
        else if (names.push(name) > room) this.isWhole = false
        if (this.isOver) break
        count += 1
        if (count % PIECE === 0) yield
      }
    } catch {
      this.isWhole = false
    }
    return names
  }

  below(): null {
    return null
  }

  refuse(_folder: null, how: Parameters<FolderWalk<null>['refuse']>[1]): void {
    if (how !== 'missing') this.isWhole = false
  }

  #spend(looks: number): void {
    this.#looks.left -= looks
    if (this.#looks.left < 0) this.isWhole = false
  }

  #addTimes(seen: Look): void {
    this.sums.newestMs = Math.max(this.sums.newestMs, seen.mtimeMs)
    this.sums.sinceMs = Math.max(this.sums.sinceMs, this.#sinceOf(seen))
  }

  #addFile(name: EntryName): void {
    this.#spend(1)
    const seen = look(name)
    // Gone since: it would not have been seen a moment later.
    if (seen === null) return
    this.#addTimes(seen)
    this.sums.size += seen.size
    this.sums.files += 1
    if (seen.links <= 1) this.sums.bytes += seen.diskBytes
    else this.#addName(seen)
  }

  #addName({ ino, links, diskBytes }: Look): void {
    const names = (this.#namesSeen.get(ino) ?? 0) + 1
    if (names === links) {
      this.#namesSeen.delete(ino)
      this.sums.bytes += diskBytes
    } else if (names > 1 || this.#namesSeen.size < MAX_LINKED) this.#namesSeen.set(ino, names)
  }
}
