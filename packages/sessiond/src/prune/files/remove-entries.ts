import { mkdirSync, renameSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { StayReason } from '../../model/artifact.ts'
import type { Checks } from '../artifact-files.ts'
import { errnoOf, isNotPermitted, type Look, look } from './look.ts'
import { measureFolder } from './measure-folder.ts'
import type { RemovalItem, RemovalOutcome } from './messages.ts'
import { readMountPoints } from './mount-points.ts'
import { Place } from './place.ts'
import { removalOf } from './remove-folder.ts'

/** Removes what a plan names, or moves it to the trash, each only if it is still what it was planned as. */
export class EntryRemover {
  readonly #trash: string | null
  readonly #checks: Checks
  readonly #mountPoints = readMountPoints()
  readonly #made = new Set<string>()
  #place: Place | null = null
  #root = ''
  #folder: string | null = null

  constructor({ trash, checks }: { readonly trash: string | null; readonly checks: Checks }) {
    this.#trash = trash
    this.#checks = checks
  }

  /** Pauses now and then. If it does not go on after that, what is left of a folder is a leftover for the next plan. */
  *remove(item: RemovalItem): Generator<unknown, RemovalOutcome> {
    const cut = item.path.lastIndexOf('/') + 1
    const stay = this.#goTo(item.root, item.path.slice(0, cut))
    return stay ?? (yield* this.#removeHere(item.path.slice(cut), item))
  }

  /** Goes to the folder of an entry; one after another of the same folder cost nothing. */
  #goTo(root: string, folder: string): StayReason | null {
    const names = folder.split('/').filter(Boolean)
    if (this.#place !== null && this.#root === root && this.#folder === folder && this.#place.returnTo(names.length)) {
      return null
    }
    const place = new Place(root, this.#mountPoints)
    this.#place = place
    this.#root = root
    this.#folder = null
    let how = place.enterRoot()
    for (const name of names) {
      if (how === 'entered') how = place.down(name)
    }
    if (how === 'elsewhere') return how
    if (how !== 'entered') return how === 'missing' ? 'vanished' : 'changed'
    this.#folder = folder
    return null
  }

  *#removeHere(name: string, item: RemovalItem): Generator<unknown, RemovalOutcome> {
    const seen = look(name)
    if (seen === null) return 'vanished'
    if (seen.kind !== (item.isFolder ? 'folder' : 'file') || !isSameInode(seen, item)) return 'changed'
    return item.isFolder ? yield* this.#removeFolder(name, seen, item) : this.#removeFile(name, seen, item)
  }

  #removeFile(name: string, { mtimeMs, size }: Look, item: RemovalItem): RemovalOutcome {
    if (mtimeMs !== item.identity.mtimeMs || size !== item.identity.bytes) return 'changed'
    if (this.#trash !== null) return this.#moveToTrash(name, item, this.#trash)
    try {
      unlinkSync(name)
      return 'removed'
    } catch (error) {
      return stayOf(error)
    }
  }

  *#removeFolder(name: string, { ino }: Look, item: RemovalItem): Generator<unknown, RemovalOutcome> {
    const place = this.#place
    if (place === null) return 'changed'
    if (this.#checks === 'unchanged') {
      const stay = yield* this.#lookForChanges(place, name, item)
      if (stay !== null) return stay
    }
    if (this.#trash !== null) return this.#moveToTrash(name, item, this.#trash)
    return yield* removalOf(place, { name, ino, entries: item.identity.looks })
  }

  *#lookForChanges(place: Place, name: string, { identity }: RemovalItem): Generator<unknown, StayReason | null> {
    const depth = place.depth
    if (place.down(name) !== 'entered') {
      place.returnTo(depth)
      return 'changed'
    }
    // One that has more in it than was planned is another, however much more that may be.
    const looks = { left: identity.looks }
    const measure = yield* measureFolder(place, ({ mtimeMs }) => mtimeMs, looks)
    const isBack = place.returnTo(depth)
    if (looks.left < 0) return 'changed'
    if (!isBack || measure === null) return 'unreadable'
    return measure.newestMs === identity.mtimeMs && measure.size === identity.bytes ? null : 'changed'
  }

  /** Where it goes is a tree of folders that only this pruning makes; what is moved there lies at its ends. */
  #moveToTrash(name: string, { path, trashName }: RemovalItem, trash: string): RemovalOutcome {
    const target = join(trash, trashName, path)
    try {
      // That may fail as well: a path that is too long there, for one.
      this.#makeFolder(dirname(target))
      renameSync(name, target)
      return 'removed'
    } catch (error) {
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
  if (errno === 'EXDEV') return 'elsewhere'
  if (isNotPermitted(error)) return 'not-permitted'
  return errno === 'EISDIR' ? 'changed' : 'unreadable'
}
