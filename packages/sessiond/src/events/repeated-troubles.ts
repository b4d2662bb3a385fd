import type { World } from '../world.ts'

/** A trouble that goes on is told again after this long. */
const TELL_AGAIN_MS = 5 * 60_000
/** Different troubles remembered; over it the oldest is forgotten and, if it lasts, told anew. */
const MAX_KINDS = 500

/** Tells of a trouble at once and of its repetitions rarely, with their number, so that no outage fills a disk (F1). */
export class RepeatedTroubles {
  readonly #world: Pick<World, 'monotonicMs'>
  readonly #known = new Map<string, { toldAtMs: number; silenced: number }>()

  constructor(world: Pick<World, 'monotonicMs'>) {
    this.#world = world
  }

  /** How many repetitions went untold before this one; null: keep silent about this one too. */
  note(kind: string): number | null {
    const nowMs = this.#world.monotonicMs()
    const known = this.#known.get(kind)
    if (known !== undefined && nowMs - known.toldAtMs < TELL_AGAIN_MS) {
      known.silenced += 1
      return null
    }
    this.#known.delete(kind)
    this.#known.set(kind, { toldAtMs: nowMs, silenced: 0 })
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_KINDS && oldest !== undefined) this.#known.delete(oldest)
    return known?.silenced ?? 0
  }
}
