import type { EntryName } from './look.ts'
import type { Entering, Place } from './place.ts'

/** What is done with the folders of a walk. */
export interface FolderWalk<Folder> {
  /**
   * Reads the folder where the place stands and names the folders in it that are to be visited, so many at most; pauses
   * now and then.
   */
  read(folder: Folder, room: number): Generator<void, EntryName[]>
  /** A folder that is visited next. */
  below(folder: Folder, name: EntryName): Folder
  /** It cannot be entered; `lost`: it was moved away while the place stood in it or below. */
  refuse(folder: Folder, how: Exclude<Entering, 'entered'> | 'lost'): void
  /** Nothing more need be visited. */
  readonly isOver: boolean
  /** Whether lost ways are looked for again from the root, which costs as much as they are long. */
  readonly findsBack: boolean
}

/** Names of folders in memory that are still to be visited. */
const MAX_PENDING = 500_000

/**
 * Visits the folder where `place` stands and, depth first, those that the walk names. Holds no folder open and calls
 * itself not, so that no depth breaks it, and is bounded in memory. Pauses now and then. Returns whether the place is
 * where it began.
 */
export function* walkFolders<Folder>(place: Place, start: Folder, walk: FolderWalk<Folder>): Generator<void, boolean> {
  const begin = place.depth
  const levels = [{ folder: start, names: yield* walk.read(start, MAX_PENDING) }]
  let pending = levels[0]?.names.length ?? 0
  const lose = () => {
    const lost = levels.pop()
    if (lost === undefined) return
    pending -= lost.names.length
    walk.refuse(lost.folder, 'lost')
    for (const name of lost.names) walk.refuse(walk.below(lost.folder, name), 'refused')
  }
  const goBack = (depth: number) => (walk.findsBack ? place.returnTo(depth) : place.climbTo(depth))
  for (let level = levels.at(-1); level !== undefined && !walk.isOver; level = levels.at(-1)) {
    if (!goBack(begin + levels.length - 1)) {
      // What is above the place is regained where it can be; what cannot is given up.
      do lose()
      while (levels.length > 0 && begin + levels.length - 1 > place.depth)
      continue
    }
    const name = level.names.pop()
    if (name === undefined) {
      levels.pop()
      continue
    }
    pending -= 1
    const folder = walk.below(level.folder, name)
    const how = place.down(name)
    if (how !== 'entered') walk.refuse(folder, how)
    else {
      const names = yield* walk.read(folder, MAX_PENDING - pending)
      pending += names.length
      levels.push({ folder, names })
    }
  }
  return place.returnTo(begin)
}
