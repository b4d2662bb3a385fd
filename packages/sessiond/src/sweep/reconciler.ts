import type { SweepLine } from '../api.ts'
import { backoffMs } from '../decide/backoff.ts'
import type { World } from '../world.ts'
import type { Cause, ReconcileResult } from './reconcile-session.ts'

export interface ReconcilerOptions {
  readonly world: World
  readonly concurrency: number
  readonly reconcile: (sessionId: string, causes: ReadonlySet<Cause>) => Promise<ReconcileResult>
  /** A session's step threw: told once per streak, with the number of failures in a row. */
  readonly onError: (sessionId: string, error: unknown, failures: number) => void
  /** A slot may have come free, or somebody waits for one. */
  readonly onAdmission: (sessionId: string) => void
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
 * Runs reconciles: one at a time per session, sessions beside each other up to `concurrency`, triggers that come
 * meanwhile merged into one more pass. A session that throws is retried by itself and delays nobody (D18, I1).
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #entries = new Map<string, Entry>()
  readonly #queue: string[] = []
  #running = 0
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
    if (this.#running === 0 && this.#queue.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  /** Takes no more triggers, drops timers and what is queued, and waits for what runs. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#queue.length = 0
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
    this.#queue.push(sessionId)
    this.#pump()
  }

  #pump(): void {
    while (this.#running < this.#options.concurrency) {
      const sessionId = this.#queue.shift()
      if (sessionId === undefined) break
      this.#running += 1
      void this.#run(sessionId, this.#entryOf(sessionId))
    }
    if (this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  async #run(sessionId: string, entry: Entry): Promise<void> {
    entry.state = 'running'
    entry.clearTimer()
    const { causes, waiters } = entry
    entry.causes = new Set()
    entry.waiters = []
    const result = await this.#reconcile(sessionId, entry, causes)
    for (const resolve of waiters) resolve(result.lines)
    entry.state = 'quiet'
    this.#running -= 1
    if (result.concernsAdmission || causes.has('admitted')) this.#options.onAdmission(sessionId)
    this.#settle(sessionId, entry, result.recheckInMs)
    this.#pump()
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
      return { lines: [], recheckInMs, concernsAdmission: true }
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
