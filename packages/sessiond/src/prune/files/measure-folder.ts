import { look } from './look.ts'
import type { Place } from './place.ts'
import { readFolderBytes } from './read-folder.ts'
import { type Pending, walkFolders } from './walk-folders.ts'

/** A folder that is one unit, with all that is below it. */
export interface FolderMeasure {
  /** Of itself and all within. */
  readonly newestMs: number
  /** Lengths of its files, by which a change shows. */
  readonly size: number
  /** Given back when all of it goes. */
  readonly bytes: number
  readonly files: number
  /** Below it. */
  readonly folders: number
}

/** Measures the folder where `place` stands. Null: part of it cannot be seen. The place is the same afterwards. */
export function measureFolder(place: Place, mayGoOn: () => void): FolderMeasure | null {
  let isWhole = true
  const sums = { newestMs: Number.NEGATIVE_INFINITY, size: 0, bytes: 0, files: 0, folders: 0 }
  const namesSeen = new Map<bigint, number>()
  const visit = () => {
    mayGoOn()
    const folders: Pending<null>[] = []
    try {
      sums.newestMs = Math.max(sums.newestMs, look('.')?.mtimeMs ?? Number.POSITIVE_INFINITY)
      for (const { name, isFolder } of readFolderBytes()) {
        if (isFolder) folders.push({ name, data: null })
        else addFile(name)
      }
      sums.folders += folders.length
    } catch {
      isWhole = false
    }
    return folders
  }
  const addFile = (name: Parameters<typeof look>[0]) => {
    const seen = look(name)
    // Gone since: it would not have been seen a moment later.
    if (seen === null) return
    sums.newestMs = Math.max(sums.newestMs, seen.mtimeMs)
    sums.size += seen.size
    sums.files += 1
    if (seen.links <= 1) sums.bytes += seen.diskBytes
    else {
      const names = (namesSeen.get(seen.ino) ?? 0) + 1
      namesSeen.set(seen.ino, names)
      if (names === seen.links) sums.bytes += seen.diskBytes
    }
  }
  const isBack = walkFolders(place, null, visit, (_data, how) => {
    if (how === 'refused') isWhole = false
  })
  return isWhole && isBack ? sums : null
}
