import type { RunnerWorld } from '../world.ts'

/** Something to wait on that remembers a call that came before the wait. */
export class Wakeup {
  readonly #world: RunnerWorld
  #isDue = false
  #release: (() => void) | null = null

  constructor(world: RunnerWorld) {
    this.#world = world
  }

  wake(): void {
    this.#isDue = true
    this.#release?.()
  }

  /** Resolves after the next `wake`, or at `untilMs`; at once when one was missed. */
  async wait(untilMs: number | null): Promise<void> {
    if (!this.#isDue) await this.#next(untilMs)
    this.#isDue = false
  }

  async #next(untilMs: number | null): Promise<void> {
    let cancel = () => {}
    await new Promise<void>((resolve) => {
      this.#release = resolve
      if (untilMs !== null) cancel = this.#world.setTimer(untilMs - this.#world.now(), resolve)
    })
    this.#release = null
    cancel()
  }
}
