import { closeSync, constants, openSync } from 'node:fs'
import { type EntryName, type Look, look } from './look.ts'

interface Level {
  readonly name: EntryName
  readonly dev: bigint
  readonly ino: bigint
}

/** `missing`: there is nothing of that name. `refused`: no folder of its own, another file system, or no permission. */
export type Entering = 'entered' | 'missing' | 'refused'

/**
 * Where this process stands within one root: its working directory is moved a single name at a time, and each time it
 * is proven that it stands in the very folder that was looked at. A path of several names could be turned into another
 * one between the look and the use by whoever owns a folder on it; a folder in which one stands cannot.
 *
 * There is one working directory in a process, so there is one place at a time.
 */
export class Place {
  readonly #root: string
  readonly #levels: Level[] = []
  #isKnown = false

  constructor(root: string) {
    this.#root = root
  }

  /** Folders below the root; -1 before the root is entered. */
  get depth(): number {
    return this.#levels.length - 1
  }

  /** Goes to the root: a folder, no link to one, and on no path that leads over links. */
  enterRoot(): Entering {
    this.#isKnown = false
    this.#levels.length = 0
    const seen = look(this.#root)
    if (seen === null) return 'missing'
    // The kernel says where the folder is in truth, after all links on the way.
    if (seen.kind !== 'folder' || !move(this.#root) || !isHere(seen) || whereAmI() !== this.#root) return 'refused'
    this.#levels.push({ name: this.#root, dev: seen.dev, ino: seen.ino })
    this.#isKnown = true
    return 'entered'
  }

  /** The file system the root is on. */
  get dev(): bigint | null {
    return this.#levels[0]?.dev ?? null
  }

  /** Goes into a folder of the current one. Unless entered, `returnTo` tells whether the place is still known. */
  down(name: EntryName): Entering {
    const seen = look(name)
    if (seen === null) return 'missing'
    if (seen.kind !== 'folder' || seen.dev !== this.dev || !move(name)) return 'refused'
    if (!isHere(seen)) {
      this.#isKnown = false
      return 'refused'
    }
    this.#levels.push({ name, dev: seen.dev, ino: seen.ino })
    return 'entered'
  }

  /** Goes back up to a depth one has come from. False: the way there is no more what it was, and nothing is known. */
  returnTo(depth: number): boolean {
    if (depth < 0 || depth > this.depth) return false
    while (this.#isKnown && this.depth > depth) {
      this.#levels.pop()
      // The folder may have been moved elsewhere while one stood in it.
      this.#isKnown = move('..') && isHere(this.#levels.at(-1))
    }
    return this.#isKnown || this.#walkTo(depth)
  }

  #walkTo(depth: number): boolean {
    const way = this.#levels.slice(0, depth + 1)
    const isThere = this.enterRoot() === 'entered' && isSame(this.#levels[0], way[0])
    this.#levels.length = 0
    this.#levels.push(...way)
    this.#isKnown =
      isThere && way.slice(1).every((level) => isSame(look(level.name), level) && move(level.name) && isHere(level))
    return this.#isKnown
  }
}

function isHere(expected: Pick<Look, 'dev' | 'ino'> | undefined): boolean {
  return isSame(look('.'), expected)
}

function isSame(
  a: Pick<Look, 'dev' | 'ino'> | null | undefined,
  b: Pick<Look, 'dev' | 'ino'> | null | undefined,
): boolean {
  return a !== null && a !== undefined && a.dev === b?.dev && a.ino === b.ino
}

function move(to: EntryName): boolean {
  try {
    if (typeof to === 'string') process.chdir(to)
    else moveByDescriptor(to)
    return true
  } catch {
    return false
  }
}

/** A name without a text cannot be given to `chdir`, but opened. Only Linux knows such names, and it has this way. */
function moveByDescriptor(name: Buffer): void {
  const folder = openSync(name, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    process.chdir(`/proc/self/fd/${folder}`)
  } finally {
    closeSync(folder)
  }
}

function whereAmI(): string | null {
  try {
    return process.cwd()
  } catch {
    return null
  }
}
