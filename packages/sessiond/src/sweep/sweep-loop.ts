import type { World } from '../world.ts'

export interface SweepLoopOptions {
  readonly world: World
  readonly intervalMs: number
  /** `lateByMs`: how much later than planned this tick ran, on the monotonic clock. */
  readonly sweep: (lateByMs: number) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Runs the sweep at once and then every interval; always armed again, whatever the sweep did (E17). */
export class SweepLoop {
  readonly #options: SweepLoopOptions
  #cancelTimer: () => void = () => {}
  #isStopped = false
  #current: Promise<void> = Promise.resolve()

  constructor(options: SweepLoopOptions) {
    this.#options = options
  }

  /** Resolves when the first sweep has ended. */
  start(): Promise<void> {
    return this.#tick(this.#options.world.monotonicMs())
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelTimer()
    await this.#current
  }

  #tick(plannedAtMs: number): Promise<void> {
    const { world, intervalMs, sweep, onError } = this.#options
    const startedAtMs = world.monotonicMs()
    this.#current = sweep(startedAtMs - plannedAtMs)
      .catch(onError)
      .finally(() => {
        if (this.#isStopped) return
        const nextAtMs = world.monotonicMs() + intervalMs
        this.#cancelTimer = world.setTimer(intervalMs, () => void this.#tick(nextAtMs))
      })
    return this.#current
  }
}
