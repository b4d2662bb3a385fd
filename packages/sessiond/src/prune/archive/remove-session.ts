import { renameSync } from 'node:fs'
import { LEFTOVER_PREFIX } from '../../model/artifact.ts'
import { look } from '../files/look.ts'
import { Place } from '../files/place.ts'
import { type FolderToRemove, removalOf } from '../files/remove-folder.ts'
import type { ArchiveAnswer, ArchiveLimits } from './archive-messages.ts'
import { type Pace, syncPath } from './pack-session.ts'
import { TreePrint } from './tree-print.ts'
import { TreeRefused, walkSession } from './walk-session.ts'

/** A directory bears its own name after this while it is looked at a last time: nothing new finds its way into it. */
export const PARTING_PREFIX = '.sessiond-parting.'

/**
 * What is there of a session's directory, in the current folder. `directory`: all of it, also one whose removal was broken
 * off before it was decided. `leftover`: what is left of one that is archived as a whole.
 */
export function recoverSession(name: string, isArchived: boolean): 'directory' | 'leftover' | 'nothing' {
  takeBack(PARTING_PREFIX + name, name)
  if (!isArchived) takeBack(LEFTOVER_PREFIX + name, name)
  const hasLeftover = look(LEFTOVER_PREFIX + name) !== null
  if (look(name) === null) return hasLeftover ? 'leftover' : 'nothing'
  if (hasLeftover) throw new TreeRefused('two-folders', null)
  return 'directory'
}

function takeBack(hidden: string, name: string): void {
  if (look(hidden) === null) return
  if (look(name) !== null) throw new TreeRefused('two-folders', null)
  renameSync(hidden, name)
}

/**
 * Removes a session's directory if it still is what was packed. It is taken out of everybody's reach first and compared
 * then; only after that is its removal decided, which shows in its name, so that a crash at any point is gone on from.
 */
export async function removeSession(options: {
  readonly parent: string
  readonly name: string
  readonly print: string | null
  readonly limits: ArchiveLimits
  readonly pace: Pace
}): Promise<ArchiveAnswer> {
  const { parent, name, print, limits, pace } = options
  const place = new Place(parent)
  if (place.enterRoot() !== 'entered') throw new TreeRefused('unreadable', null)
  if (print !== null) {
    renameSync(name, PARTING_PREFIX + name)
    if ((await printOf(place, PARTING_PREFIX + name, limits, pace)) !== print) {
      if (place.returnTo(0)) takeBack(PARTING_PREFIX + name, name)
      throw new TreeRefused('changed', null)
    }
    if (!place.returnTo(0)) throw new TreeRefused('changed', null)
    renameSync(PARTING_PREFIX + name, LEFTOVER_PREFIX + name)
  }
  const left = look(LEFTOVER_PREFIX + name)
  if (left === null) return { kind: 'removed' }
  const folder = { name: LEFTOVER_PREFIX + name, ino: left.ino, entries: limits.entries }
  if (!(await removeInSteps(place, folder, pace))) throw new TreeRefused('unreadable', null)
  // It is on record as gone next: it must not come back after that.
  syncPath('.')
  return { kind: 'removed' }
}

async function removeInSteps(place: Place, folder: FolderToRemove, pace: Pace): Promise<boolean> {
  const steps = removalOf(place, folder)
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value === 'removed'
    await pace({ entries: step.value })
  }
}

/** Null: it cannot be looked at as a whole any more. */
async function printOf(place: Place, name: string, limits: ArchiveLimits, pace: Pace): Promise<string | null> {
  if (place.down(name) !== 'entered') return null
  const print = new TreePrint()
  try {
    for (const entry of walkSession(place, limits)) {
      print.add(entry)
      await pace({ entries: 1 })
    }
  } catch (error) {
    if (error instanceof TreeRefused) return null
    throw error
  }
  return print.toString()
}
