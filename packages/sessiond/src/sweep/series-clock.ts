import type { Store } from '../store/store.ts'
import type { World } from '../world.ts'

export interface SeriesClockDeps {
  readonly world: World
  readonly store: Pick<Store, 'nextSeriesAtMs' | 'stepDueSeries'>
  readonly sinksOf: (group: string) => readonly string[]
  /** These sessions have a message more. */
  readonly onFired: (sessionIds: readonly string[]) => void
  /** Its run works on what is cancelled. */
  readonly onInterrupted: (sessionId: string) => void
  readonly onError: (error: unknown) => void
}

/** How soon it looks again after a look that failed (a full disk). */
const ERROR_AGAIN_MS = 5_000

/** Looks at series when they are due: sleeps until the next, whatever their number, and is woken when that may be sooner. */
export class SeriesClock {
  readonly #deps: SeriesClockDeps
  #isLooking = false
  #isAskedAgain = false
  #isStopped = true
  #cancelTimer: () => void = () => {}

  constructor(deps: SeriesClockDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#isStopped = false
    this.kick()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelTimer()
  }

  /** A series may be due sooner than it was; calls that come during a look are merged into one more. */
  kick(): void {
    if (this.#isStopped) return
    if (this.#isLooking) this.#isAskedAgain = true
    else void this.#look()
  }

  async #look(): Promise<void> {
    this.#cancelTimer()
    this.#isLooking = true
    let nextInMs: number | null = ERROR_AGAIN_MS
    try {
      await this.#stepDue()
      const nextAtMs = await this.#deps.store.nextSeriesAtMs()
      nextInMs = nextAtMs === null ? null : Math.max(1, nextAtMs - this.#deps.world.now())
    } catch (error) {
      this.#deps.onError(error)
    }
    this.#isLooking = false
    if (this.#isStopped) return
    const isAskedAgain = this.#isAskedAgain
    this.#isAskedAgain = false
    const delayMs = isAskedAgain ? 0 : nextInMs
    // A kick that comes before the timer takes its place; E17: whatever came of the look, there is a next one.
    if (delayMs !== null) this.#cancelTimer = this.#deps.world.setTimer(delayMs, () => this.kick())
  }

  async #stepDue(): Promise<void> {
    const { world, store, sinksOf, onFired, onInterrupted } = this.#deps
    let lateBefore = 0
    for (let isMore = true; isMore && !this.#isStopped; ) {
      const stepped = await store.stepDueSeries({ nowMs: world.now(), lateBefore, sinksOf })
      lateBefore += stepped.fired.length
      isMore = stepped.isMore
      if (stepped.fired.length > 0) onFired(stepped.fired)
      for (const sessionId of stepped.interrupted) onInterrupted(sessionId)
    }
  }
}
