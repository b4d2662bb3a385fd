import { randomUUID } from 'node:crypto'

/** Everything ambient the runner uses, injected so that tests decide about time and ids. */
export interface RunnerWorld {
  /** Wall clock, ms since the epoch. */
  now(): number
  /** Calls `fn` once after `delayMs`; the returned function cancels. */
  setTimer(delayMs: number, fn: () => void): () => void
  /** A new id that begins with `prefix`, unique in every install; later ones sort last, which indexes grow best with. */
  newId(prefix: string): string
}

/** Longest delay `setTimeout` takes; longer ones would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The real world: system clock, timers and randomness. */
export const realRunnerWorld: RunnerWorld = {
  now: () => Date.now(),
  setTimer(delayMs, fn) {
    const timer = setTimeout(fn, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS))
    return () => clearTimeout(timer)
  },
  newId: (prefix) => `${prefix}${Date.now().toString(36)}-${randomUUID()}`,
}
