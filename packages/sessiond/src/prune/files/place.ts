import { closeSync, constants, openSync } from 'node:fs'
import { type EntryName, type Look, look } from './look.ts'
import { readMountPoints } from './mount-points.ts'

interface Level extends Inode {
  readonly name: EntryName
}

type Inode = Pick<Look, 'dev' | 'ino'>

/**
 * `missing`: there is nothing of that name. `elsewhere`: another file system, or something mounted there. `refused`: no
 * folder of its own, or no permission.
 */
export type Entering = 'entered' | 'missing' | 'elsewhere' | 'refused'

/**
 * Where this process stands within one root: its working directory is moved a single name at a time, and each time it
 * is proven that it stands in the very folder that was looked at. A path of several names could be turned into another
 * one between the look and the use by whoever owns a folder on it; a folder in which one stands cannot.
 *
 * There is one working directory in a process, so there is one place at a time.
 */
export class Place {
  readonly #root: string
  /** Those below the root. */
  readonly #mountPoints: readonly string[]
  readonly #levels: Level[] = []
  #isKnown = false

  /** Mount points are those of now unless given: who has many places reads them once. */
  constructor(root: string, mountPoints: Iterable<string> = readMountPoints()) {
    this.#root = root
    const above = `${bytesOf(root)}/`
    this.#mountPoints = [...mountPoints].filter((point) => point.startsWith(above))
  }

  /** Folders below the root; -1 while the place is in none. */
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
  get dev(): Look['dev'] | null {
    return this.#levels[0]?.dev ?? null
  }

  /** Goes into a folder of the current one. Unless entered, `returnTo` tells whether the place is still known. */
  down(name: EntryName): Entering {
    const seen = look(name)
    if (seen === null) return 'missing'
    if (seen.kind !== 'folder') return 'refused'
    if (seen.dev !== this.dev || this.#isMountPoint(name)) return 'elsewhere'
    if (!move(name)) return 'refused'
    if (!isHere(seen)) {
      this.#isKnown = false
      return 'refused'
    }
    this.#levels.push({ name, dev: seen.dev, ino: seen.ino })
    return 'entered'
  }

  /**
   * Goes back up to a depth one has come from, folder by folder. False: one of them was moved elsewhere meanwhile, and
   * where the place is nobody knows before `returnTo`.
   */
  climbTo(depth: number): boolean {
    if (depth < 0 || depth > this.depth) return false
    while (this.#isKnown && this.depth > depth) {
      this.#levels.pop()
      this.#isKnown = move('..') && isHere(this.#levels.at(-1))
    }
    return this.#isKnown
  }

  /**
   * The same, from the root anew where need be. False: the way there is no more what it was; `depth` says how much of it
   * still leads anywhere.
   */
  returnTo(depth: number): boolean {
    if (depth < 0 || depth > this.depth) return false
    // From far below the way from the root is the shorter one.
    const isNear = this.depth - depth <= depth + 1
    return (isNear && this.climbTo(depth)) || this.#walkTo(depth)
  }

  #walkTo(depth: number): boolean {
    const [first, ...way] = this.#levels.slice(0, depth + 1)
    if (this.enterRoot() !== 'entered') return false
    if (!isSame(this.#levels[0], first)) {
      this.#isKnown = false
      this.#levels.length = 0
      return false
    }
    for (const level of way) {
      if (!isSame(look(level.name), level) || !move(level.name)) return false
      this.#isKnown = isHere(level)
      if (!this.#isKnown) return false
      this.#levels.push(level)
    }
    return true
  }

  #isMountPoint(name: EntryName): boolean {
    if (this.#mountPoints.length === 0) return false
    const path = [...this.#levels.map((level) => bytesOf(level.name)), bytesOf(name)].join('/')
    return this.#mountPoints.includes(path)
  }
}

function bytesOf(name: EntryName): string {
  return Buffer.from(name).toString('latin1')
}

function isHere(expected: Inode | undefined): boolean {
  return isSame(look('.'), expected)
}

function isSame(a: Inode | null | undefined, b: Inode | null | undefined): boolean {
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
