import type { DueDelivery } from '../store/store.ts'

/**
 * Which deliveries are under way: at most one per lane (a session and a sink), so that order holds, and at most
 * `concurrency` per sink, so that one sink's trouble stays its own.
 */
export class Lanes {
  readonly #bySink = new Map<string, Set<string>>()
  readonly #concurrencyOf: (sink: string) => number

  constructor(concurrencyOf: (sink: string) => number) {
    this.#concurrencyOf = concurrencyOf
  }

  /** Deliveries under way. */
  get size(): number {
    let size = 0
    for (const sessions of this.#bySink.values()) size += sessions.size
    return size
  }

  /** Sinks that take no more now. */
  fullSinks(): string[] {
    return [...this.#bySink]
      .filter(([sink, sessions]) => sessions.size >= this.#concurrencyOf(sink))
      .map(([sink]) => sink)
  }

  /** Takes the delivery's lane, if it and its sink have room. */
  enter({ delivery: { sink, sessionId } }: DueDelivery): boolean {
    const sessions = this.#bySink.get(sink) ?? new Set<string>()
    if (sessions.has(sessionId) || sessions.size >= this.#concurrencyOf(sink)) return false
    this.#bySink.set(sink, sessions.add(sessionId))
    return true
  }

  /** Gives the lane back. */
  leave({ delivery: { sink, sessionId } }: DueDelivery): void {
    const sessions = this.#bySink.get(sink)
    sessions?.delete(sessionId)
    if (sessions?.size === 0) this.#bySink.delete(sink)
  }
}
