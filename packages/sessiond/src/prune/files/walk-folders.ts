import type { EntryName } from './look.ts'
import type { Entering, Place } from './place.ts'

/** A folder yet to be visited, and what is known of it. */
export interface Pending<Data> {
  readonly name: EntryName
  readonly data: Data
}

/**
 * Visits the folder where `place` stands and, depth first, those that visits name. Holds no folder open and calls
 * itself not, so that no depth breaks it. A folder that cannot be entered is told to `refuse`; so are those that were
 * still to come when the way back to them is gone. Says whether the place is where it began.
 */
export function walkFolders<Data>(
  place: Place,
  data: Data,
  visit: (data: Data) => Pending<Data>[],
  refuse: (data: Data, how: Exclude<Entering, 'entered'>) => void,
): boolean {
  const begin = place.depth
  const levels = [visit(data)]
  while (levels.length > 0) {
    // What is above the place is regained where it can be; what cannot is given up, level by level upwards.
    if (!place.returnTo(begin + levels.length - 1)) {
      for (const lost of levels.pop() ?? []) refuse(lost.data, 'refused')
      continue
    }
    const next = levels.at(-1)?.pop()
    if (next === undefined) {
      levels.pop()
      continue
    }
    const how = place.down(next.name)
    if (how === 'entered') levels.push(visit(next.data))
    else refuse(next.data, how)
  }
  return place.returnTo(begin)
}
