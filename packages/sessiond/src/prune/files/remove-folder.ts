import { renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { LEFTOVER_PREFIX } from '../../model/artifact.ts'
import { type EntryName, type ExactNumber, errnoOf, isNotPermitted, look } from './look.ts'
import type { Place } from './place.ts'
import { readFolderBytes } from './read-folder.ts'

/** Entries of one folder removed between two readings of it: some file systems lose their place when much goes. */
const PIECE = 1_000

interface Level {
  readonly name: EntryName
  readonly folders: EntryName[]
}

interface Budget {
  left: number
  removed: number
  /** Something may not be removed. */
  isNotPermitted: boolean
}

/** `changed`: something in it stays, or it is no more the folder it was. `not-permitted`: for want of permission. */
export type FolderEnd = 'removed' | 'changed' | 'not-permitted'

export interface FolderToRemove {
  readonly name: string
  readonly ino: ExactNumber
  /** No fewer than there are files and folders within; who adds to them faster than they go keeps the folder for now. */
  readonly entries: number
}

/**
 * Removes a folder of the current one with all that is below it, piece by piece: says each time how many entries it has
 * come by, and stands somewhere within meanwhile.
 */
export function* removalOf(place: Place, folder: FolderToRemove): Generator<number, FolderEnd> {
  const begin = place.depth
  const hidden = hide(folder)
  if (hidden === null) return 'changed'
  const budget: Budget = { left: 2 * folder.entries + PIECE, removed: 0, isNotPermitted: false }
  const isCleared = place.down(hidden) === 'entered' && (yield* clear(place, budget))
  if (!place.returnTo(begin)) return 'changed'
  if (isCleared && removeEmpty(hidden, budget)) return 'removed'
  // Nothing of it is gone, so it may bear its name.
  if (budget.removed === 0 && hidden !== folder.name && isFolderOf(hidden, folder.ino)) giveBack(folder.name, hidden)
  return budget.isNotPermitted ? 'not-permitted' : 'changed'
}

/** Empties the folder where `place` stands. */
function* clear(place: Place, budget: Budget): Generator<number, boolean> {
  const begin = place.depth
  const levels: Level[] = [{ name: '.', folders: [] }]
  for (let told = budget.left; ; ) {
    const seen = told - budget.left
    told = budget.left
    yield seen
    const level = levels.at(-1)
    if (level === undefined) return true
    const next = level.folders.pop()
    if (next !== undefined) {
      const how = place.down(next)
      if (how === 'entered') levels.push({ name: next, folders: [] })
      else if (how !== 'missing') return false
      continue
    }
    const left = removeFiles(level, budget)
    if (left === 'stuck') return false
    if (left === 'more') continue
    levels.pop()
    if (levels.length === 0) return true
    // A folder that is not empty stays, and so do those above it; so does one that is moved about meanwhile.
    if (!place.climbTo(begin + levels.length - 1) || !removeEmpty(level.name, budget)) return false
    budget.removed += 1
  }
}

/** Removes what is no folder and notes what is, up to a piece. `stuck`: nothing of what is left will go. */
function removeFiles(level: Level, budget: Budget): 'empty' | 'more' | 'stuck' {
  let seen = 0
  let stuck = 0
  try {
    for (const { name, isFolder } of readFolderBytes()) {
      if (isFolder) level.folders.push(name)
      else if (removeFile(name, budget)) budget.removed += 1
      else stuck += 1
      seen += 1
      budget.left -= 1
      if (budget.left < 0) return 'stuck'
      if (seen >= PIECE) break
    }
  } catch {
    return 'stuck'
  }
  if (stuck > 0) return 'stuck'
  return seen > 0 ? 'more' : 'empty'
}

/** The name under which it is removed; null: it is no more the folder it was. */
function hide({ name, ino }: FolderToRemove): string | null {
  if (name.startsWith(LEFTOVER_PREFIX)) return isFolderOf(name, ino) ? name : null
  const hidden = LEFTOVER_PREFIX + name
  if (look(hidden) !== null || !rename(name, hidden)) {
    // Too long, taken, or not allowed: then it is removed under its own name, which is only less tidy after a crash.
    return isFolderOf(name, ino) ? name : null
  }
  if (isFolderOf(hidden, ino)) return hidden
  // Something else took the name at the last moment.
  giveBack(name, hidden)
  return null
}

function giveBack(name: string, hidden: string): void {
  if (look(name) === null) rename(hidden, name)
}

function isFolderOf(name: string, ino: ExactNumber): boolean {
  const seen = look(name)
  return seen?.kind === 'folder' && seen.ino === ino
}

function rename(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch {
    return false
  }
}

function removeFile(name: EntryName, budget: Budget): boolean {
  return isGone(() => unlinkSync(name), budget)
}

function removeEmpty(name: EntryName, budget: Budget): boolean {
  return isGone(() => rmdirSync(name), budget)
}

function isGone(remove: () => void, budget: Budget): boolean {
  try {
    remove()
    return true
  } catch (error) {
    if (isNotPermitted(error)) budget.isNotPermitted = true
    return errnoOf(error) === 'ENOENT'
  }
}
