import type { World } from '../world.ts'

/** As often as a runner beats: what is looked at less often is seen later, and looks younger than it is. */
const LOOK_MS = 5_000

export interface BeatLooksOptions {
  readonly world: World
  /** Looks at the beat of every live run, each a stat of a file. */
  readonly look: () => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Has the beats of live runs looked at: they are files, and nobody tells when one has moved. */
export class BeatLooks {
  readonly #options: BeatLooksOptions
  #cancelTimer: () => void = () => {}
  #isStopped = true

  constructor(options: BeatLooksOptions) {
    this.#options = options
  }

  start(): void {
    this.#isStopped = false
    this.#arm()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelTimer()
  }

  #arm(): void {
    if (this.#isStopped) return
    this.#cancelTimer = this.#options.world.setTimer(LOOK_MS, () => {
      this.#options.look().then(
        () => this.#arm(),
        (error: unknown) => {
          this.#options.onError(error)
          this.#arm()
        },
      )
    })
  }
}
