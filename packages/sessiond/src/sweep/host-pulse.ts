import type { World } from '../world.ts'

const PULSE_MS = 1_000
/** Later than this the host did not run: a busy event loop is never that late. Far below every window of a run. */
const STALLED_MS = 4_000

export interface HostPulseOptions {
  readonly world: World
  /** Called before anything is judged after a stall. */
  readonly onStalled: (stalledMs: number) => void
}

/**
 * Notices that this process itself stood still (a suspended machine, a stopped process, a blocked event loop), by a
 * timer that comes late; and by whoever else comes first, because after a stall all timers are due at once (A14).
 */
export class HostPulse {
  readonly #options: HostPulseOptions
  #lastAtMs: number
  #cancelTimer: () => void = () => {}

  constructor(options: HostPulseOptions) {
    this.#options = options
    this.#lastAtMs = options.world.monotonicMs()
  }

  start(): void {
    this.#lastAtMs = this.#options.world.monotonicMs()
    this.#arm()
  }

  stop(): void {
    this.#cancelTimer()
  }

  /** To be called right before every judgement. */
  check(): void {
    const nowMs = this.#options.world.monotonicMs()
    const sinceMs = nowMs - this.#lastAtMs
    this.#lastAtMs = nowMs
    if (sinceMs > PULSE_MS + STALLED_MS) this.#options.onStalled(sinceMs)
  }

  #arm(): void {
    this.#cancelTimer = this.#options.world.setTimer(PULSE_MS, () => {
      this.check()
      this.#arm()
    })
  }
}
