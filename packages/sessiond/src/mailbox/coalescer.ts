import type { World } from '../world.ts'

/** Least time between two calls, and how long `later` waits. */
const GAP_MS = 5

/** Turns a stream of hints into calls: at once when nothing was called lately, else one call per gap. */
export class Coalescer {
  readonly #world: World
  readonly #fn: () => void
  #calledAtMs = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | null = null
  #isClosed = false

  constructor(world: World, fn: () => void) {
    this.#world = world
    this.#fn = fn
  }

  /** Calls now, or as soon as the gap allows. */
  soon(): void {
    const waitMs = this.#calledAtMs + GAP_MS - this.#world.monotonicMs()
    if (waitMs > 0) this.#schedule(waitMs)
    else this.#call()
  }

  /** Calls after the gap, unless a call comes before. */
  later(): void {
    this.#schedule(GAP_MS)
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
    this.#cancel = null
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed || this.#cancel !== null) return
    this.#cancel = this.#world.setTimer(delayMs, () => this.#call())
  }

  #call(): void {
    this.#cancel?.()
    this.#cancel = null
    if (this.#isClosed) return
    this.#calledAtMs = this.#world.monotonicMs()
    this.#fn()
  }
}
