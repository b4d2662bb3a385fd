import type { World } from '../world.ts'

export interface SweepLoopOptions {
  readonly world: World
  readonly intervalMs: number
  readonly sweep: () => Promise<void>
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
    return this.#tick()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelTimer()
    await this.#current
  }

  #tick(): Promise<void> {
    const { world, intervalMs, sweep, onError } = this.#options
    this.#current = sweep()
      .catch(onError)
      .finally(() => {
        if (this.#isStopped) return
        this.#cancelTimer = world.setTimer(intervalMs, () => void this.#tick())
      })
    return this.#current
  }
}
