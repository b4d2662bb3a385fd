import type { SweepLine } from '../api.ts'
import { backoffMs } from '../decide/backoff.ts'
import type { World } from '../world.ts'
import type { Cause, ReconcileResult } from './reconcile-session.ts'

export interface ReconcilerOptions {
  readonly world: World
  /** Per lane. */
  readonly concurrency: number
  /** Sessions that may hold each other up share a lane: those of one runtime. @default one lane for all */
  readonly laneOf?: (sessionId: string) => string
  readonly reconcile: (sessionId: string, causes: ReadonlySet<Cause>) => Promise<ReconcileResult>
  /** A session's step threw: told once per streak, with the number of failures in a row. */
  readonly onError: (sessionId: string, error: unknown, failures: number) => void
  /** A slot may have come free, or somebody waits for one. */
  readonly onAdmission: (sessionId: string, usedSlot: boolean) => void
  /** A session that had been given a slot threw: the slot is free again. */
  readonly onSlotFailed: (sessionId: string) => void
}

/** Sessions waiting for their turn, and how many of their kind have it now. */
interface Lane {
  readonly queue: string[]
  running: number
}

/** What is known of one session between triggers; forgotten as soon as there is nothing to know. */
class Entry {
  causes = new Set<Cause>()
  waiters: ((lines: readonly SweepLine[]) => void)[] = []
  state: 'quiet' | 'queued' | 'running' = 'quiet'
  failures = 0
  cancelTimer: (() => void) | null = null

  clearTimer(): void {
    this.cancelTimer?.()
    this.cancelTimer = null
  }

  answer(lines: readonly SweepLine[]): void {
    for (const resolve of this.waiters.splice(0)) resolve(lines)
  }
}

/** A session whose step throws is tried again after 100 ms, 200 ms … at most every 30 s. */
const ERROR_BACKOFF = { baseMs: 100, maxMs: 30_000 }

/**
 * Runs reconciles: one at a time per session, sessions beside each other up to `concurrency` in each lane, triggers
 * that come meanwhile merged into one more pass. A session that throws is retried by itself and delays nobody (D18,
 * I1); a lane whose runtime answers nothing delays no other.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #entries = new Map<string, Entry>()
  readonly #lanes = new Map<string, Lane>()
  #isStopped = false
  #onIdle: (() => void)[] = []

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Asks for a look at a session. Resolves with what that look decided; never rejects. */
  trigger(sessionId: string, cause: Cause): Promise<readonly SweepLine[]> {
    if (this.#isStopped) return Promise.resolve([])
    const entry = this.#entryOf(sessionId)
    entry.causes.add(cause)
    const done = new Promise<readonly SweepLine[]>((resolve) => entry.waiters.push(resolve))
    this.#enqueue(sessionId, entry)
    return done
  }

  /** Resolves when nothing runs and nothing is queued; timers may still be set. */
  whenIdle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  /** Takes no more triggers, drops timers and what is queued, and waits for what runs. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const lane of this.#lanes.values()) lane.queue.length = 0
    for (const entry of this.#entries.values()) {
      entry.clearTimer()
      if (entry.state === 'queued') entry.answer([])
    }
    await this.whenIdle()
    this.#entries.clear()
  }

  #entryOf(sessionId: string): Entry {
    let entry = this.#entries.get(sessionId)
    if (entry === undefined) {
      entry = new Entry()
      this.#entries.set(sessionId, entry)
    }
    return entry
  }

  #enqueue(sessionId: string, entry: Entry): void {
    if (entry.state !== 'quiet') return
    entry.state = 'queued'
    const lane = this.#laneOf(sessionId)
    lane.queue.push(sessionId)
    this.#pump(lane)
  }

  #laneOf(sessionId: string): Lane {
    const name = this.#options.laneOf?.(sessionId) ?? ''
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      lane = { queue: [], running: 0 }
      this.#lanes.set(name, lane)
    }
    return lane
  }

  #isIdle(): boolean {
    return [...this.#lanes.values()].every((lane) => lane.running === 0 && lane.queue.length === 0)
  }

  #pump(lane: Lane): void {
    while (lane.running < this.#options.concurrency) {
      const sessionId = lane.queue.shift()
      if (sessionId === undefined) break
      lane.running += 1
      void this.#run(sessionId, this.#entryOf(sessionId), lane)
    }
    if (this.#isIdle()) for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  async #run(sessionId: string, entry: Entry, lane: Lane): Promise<void> {
    entry.state = 'running'
    entry.clearTimer()
    const { causes, waiters } = entry
    entry.causes = new Set()
    entry.waiters = []
    const result = await this.#reconcile(sessionId, entry, causes)
    for (const resolve of waiters) resolve(result.lines)
    entry.state = 'quiet'
    lane.running -= 1
    const usedSlot = causes.has('admitted')
    if (entry.failures > 0 && usedSlot) this.#options.onSlotFailed(sessionId)
    else if (result.concernsAdmission || usedSlot) this.#options.onAdmission(sessionId, usedSlot)
    this.#settle(sessionId, entry, result.recheckInMs)
    this.#pump(lane)
  }

  async #reconcile(sessionId: string, entry: Entry, causes: ReadonlySet<Cause>): Promise<ReconcileResult> {
    try {
      const result = await this.#options.reconcile(sessionId, causes)
      entry.failures = 0
      return result
    } catch (error) {
      entry.failures += 1
      this.#options.onError(sessionId, error, entry.failures)
      const recheckInMs = backoffMs(ERROR_BACKOFF, entry.failures - 1, 0)
      return { lines: [], recheckInMs, concernsAdmission: false }
    }
  }

  #settle(sessionId: string, entry: Entry, recheckInMs: number | null): void {
    if (this.#isStopped) {
      entry.answer([])
    } else if (entry.causes.size > 0) {
      this.#enqueue(sessionId, entry)
    } else if (recheckInMs !== null) {
      entry.cancelTimer = this.#options.world.setTimer(recheckInMs, () => void this.trigger(sessionId, 'timer'))
    } else {
      this.#entries.delete(sessionId)
    }
  }
}
