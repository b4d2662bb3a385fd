import { mkdirSync, renameSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { StayReason } from '../../model/artifact.ts'
import { errnoOf, type Look, look } from './look.ts'
import { measureFolder } from './measure-folder.ts'
import type { RemovalItem, Removed } from './messages.ts'
import { Place } from './place.ts'
import { removeFolder } from './remove-folder.ts'

/** The trash turned out to be on another file system: what cannot be moved there at once is not moved at all. */
export class TrashElsewhere extends Error {}

/** Removes what a plan names, or moves it to the trash, each only if it is still what it was planned as. */
export class EntryRemover {
  readonly #trash: string | null
  readonly #mayGoOn: () => void
  readonly #made = new Set<string>()
  #place: Place | null = null
  #root = ''
  #folder: string | null = null

  constructor(trash: string | null, mayGoOn: () => void) {
    this.#trash = trash
    this.#mayGoOn = mayGoOn
  }

  remove(item: RemovalItem): Removed {
    const cut = item.path.lastIndexOf('/') + 1
    const stay = this.#goTo(item.root, item.path.slice(0, cut))
    return stay ?? this.#removeHere(item.path.slice(cut), item)
  }

  /** Goes to the folder of an entry; one after another of the same folder cost nothing. */
  #goTo(root: string, folder: string): StayReason | null {
    const names = folder.split('/').filter(Boolean)
    if (this.#place !== null && this.#root === root && this.#folder === folder && this.#place.returnTo(names.length)) {
      return null
    }
    const place = new Place(root)
    this.#place = place
    this.#root = root
    this.#folder = null
    let how = place.enterRoot()
    for (const name of names) {
      if (how === 'entered') how = place.down(name)
    }
    if (how !== 'entered') return how === 'missing' ? 'vanished' : 'changed'
    this.#folder = folder
    return null
  }

  #removeHere(name: string, item: RemovalItem): Removed {
    const seen = look(name)
    if (seen === null) return 'vanished'
    if (seen.kind !== (item.isFolder ? 'folder' : 'file') || !isSameInode(seen, item)) return 'changed'
    return item.isFolder ? this.#removeFolder(name, seen, item) : this.#removeFile(name, seen, item)
  }

  #removeFile(name: string, { mtimeMs, size }: Look, item: RemovalItem): Removed {
    if (mtimeMs !== item.identity.mtimeMs || size !== item.identity.bytes) return 'changed'
    if (this.#trash !== null) return this.#moveToTrash(name, item, this.#trash)
    try {
      unlinkSync(name)
      return 'removed'
    } catch (error) {
      return stayOf(error)
    }
  }

  #removeFolder(name: string, { ino }: Look, item: RemovalItem): Removed {
    const place = this.#place
    if (place === null) return 'changed'
    const depth = place.depth
    if (place.down(name) !== 'entered') {
      place.returnTo(depth)
      return 'changed'
    }
    const measure = measureFolder(place, this.#mayGoOn)
    if (!place.returnTo(depth) || measure === null) return 'unreadable'
    if (measure.newestMs !== item.identity.mtimeMs || measure.size !== item.identity.bytes) return 'changed'
    if (this.#trash !== null) return this.#moveToTrash(name, item, this.#trash)
    const entries = measure.files + measure.folders
    return removeFolder(place, { name, ino, entries }, this.#mayGoOn) ? 'removed' : 'changed'
  }

  /** Where it goes is a tree of folders that only this pruning makes; what is moved there lies at its ends. */
  #moveToTrash(name: string, { path, trashName }: RemovalItem, trash: string): Removed {
    const target = join(trash, trashName, path)
    this.#makeFolder(join(target, '..'))
    try {
      renameSync(name, target)
      return 'removed'
    } catch (error) {
      if (errnoOf(error) === 'EXDEV') throw new TrashElsewhere()
      return stayOf(error)
    }
  }

  #makeFolder(path: string): void {
    if (this.#made.has(path)) return
    mkdirSync(path, { recursive: true, mode: 0o700 })
    this.#made.add(path)
  }
}

function isSameInode({ dev, ino }: Look, { identity }: RemovalItem): boolean {
  return String(ino) === identity.ino && String(dev) === identity.dev
}

function stayOf(error: unknown): StayReason {
  const errno = errnoOf(error)
  if (errno === 'ENOENT') return 'vanished'
  return errno === 'EISDIR' ? 'changed' : 'unreadable'
}
