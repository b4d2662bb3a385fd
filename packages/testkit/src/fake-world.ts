import type { World } from 'sessiond/ports'

interface Timer {
  readonly dueAtMs: number
  readonly order: number
  readonly fn: () => void
}

/** A world whose clocks stand still until told to move; timers fire in order of their due time, then of creation. */
export class FakeWorld implements World {
  boundary: World['boundary'] = () => {}
  #nowMs: number
  #monotonicMs = 0
  #order = 0
  #id = 0
  readonly #timers = new Set<Timer>()

  constructor(nowMs = Date.UTC(2030, 0, 1)) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  random(): number {
    return 0.5
  }

  newId(prefix: string): string {
    this.#id += 1
    return `${prefix}${this.#id}`
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    const timer = { dueAtMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, fn }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Moves both clocks on, firing what falls due and letting its promises settle in between. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms
    for (let next = this.#nextBy(untilMs); next !== undefined; next = this.#nextBy(untilMs)) {
      this.#moveTo(Math.max(next.dueAtMs, this.#monotonicMs))
      this.#timers.delete(next)
      next.fn()
      await settle()
    }
    this.#moveTo(untilMs)
    await settle()
  }

  /** Steps the wall clock alone, as an administrator or a time server does. */
  stepWallClock(ms: number): void {
    this.#nowMs += ms
  }

  timerCount(): number {
    return this.#timers.size
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs
    this.#monotonicMs = monotonicMs
  }

  #nextBy(untilMs: number): Timer | undefined {
    return [...this.#timers]
      .filter((timer) => timer.dueAtMs <= untilMs)
      .sort((a, b) => a.dueAtMs - b.dueAtMs || a.order - b.order)[0]
  }
}

/** Lets everything that only waits for promises run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
