import type { World } from '../world.ts'

/** The wall clock may run ahead of the monotonic one by so much between two looks. */
const LEAP_MS = 3_600_000
/** A host may have been off for long; one that says so of a cleaning this long ago may as well have a wrong date. */
const LONG_AGO_MS = 30 * 86_400_000

/** Notices when the wall clock leaps ahead: to a clock that is set wrong everything is old. */
export class ClockDoubt {
  readonly #world: Pick<World, 'now' | 'monotonicMs'>
  #seen: { readonly wallMs: number; readonly monotonicMs: number }
  #leaptAtMs: number | null

  constructor(world: Pick<World, 'now' | 'monotonicMs'>, lastCleanedAtMs: number | null) {
    this.#world = world
    this.#seen = { wallMs: world.now(), monotonicMs: world.monotonicMs() }
    const isLongAgo = lastCleanedAtMs !== null && this.#seen.wallMs - lastCleanedAtMs > LONG_AGO_MS
    this.#leaptAtMs = isLongAgo ? this.#seen.monotonicMs : null
  }

  /** Since the clock was seen to have leapt ahead; null: it has not, or was set right again. */
  leaptAheadMs(): number | null {
    const now = { wallMs: this.#world.now(), monotonicMs: this.#world.monotonicMs() }
    const aheadMs = now.wallMs - this.#seen.wallMs - (now.monotonicMs - this.#seen.monotonicMs)
    this.#seen = now
    if (aheadMs > LEAP_MS) this.#leaptAtMs = now.monotonicMs
    // Set right again, or further back: there is nothing left to doubt.
    if (aheadMs < -LEAP_MS) this.#leaptAtMs = null
    return this.#leaptAtMs === null ? null : now.monotonicMs - this.#leaptAtMs
  }
}
