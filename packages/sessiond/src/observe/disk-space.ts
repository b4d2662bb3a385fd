import { statfs } from 'node:fs/promises'
import { freeBytesOf } from '../disk-figures.ts'
import type { World } from '../world.ts'

/** Between two looks a host accepts no more than a second's worth of messages, far less than any sensible floor. */
const GOOD_FOR_MS = 1_000

/** How much room the disk of the data directory has; looks at most once a second, and never on the event loop. */
export class DiskSpace {
  readonly #dataDir: string
  readonly #world: World
  #seen: { readonly freeBytes: number | null; readonly atMs: number } | null = null
  #looking: Promise<number | null> | null = null

  constructor(dataDir: string, world: World) {
    this.#dataDir = dataDir
    this.#world = world
  }

  /** What this user may still write; null: the disk cannot be asked, which is not the same as full. */
  freeBytes(): Promise<number | null> {
    const seen = this.#seen
    if (seen !== null && this.#world.monotonicMs() - seen.atMs < GOOD_FOR_MS) return Promise.resolve(seen.freeBytes)
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async #look(): Promise<number | null> {
    const freeBytes = await statfs(this.#dataDir).then(
      freeBytesOf,
      // The store's own writes will say what is wrong with it.
      () => null,
    )
    this.#seen = { freeBytes, atMs: this.#world.monotonicMs() }
    return freeBytes
  }
}
