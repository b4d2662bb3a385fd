import { customAlphabet } from 'nanoid'

/** Names a point between two effects at which the host may die; tests kill it there. */
export type Boundary = (name: string) => void | Promise<void>

/**
 * Everything ambient the host uses. Injected, so that a simulator can run the whole host in virtual time from
 * one seed and so that no decision reads a global.
 */
export interface World {
  /** Wall clock, ms since the epoch: for due times and records; may jump. */
  now(): number
  /** Monotonic clock in ms, not counting suspend: for every "how long since". */
  monotonicMs(): number
  /** Calls `fn` once after `delayMs`; the returned function cancels. */
  setTimer(delayMs: number, fn: () => void): () => void
  /** Uniform in [0, 1). */
  random(): number
  /**
   * A new id that begins with `prefix`, a valid protocol id. Later ids sort after earlier ones as far as the clock
   * allows, so that indexes grow at their end and not all over.
   */
  newId(prefix: string): string
  readonly boundary: Boundary
}

/** Longest delay `setTimeout` takes; longer ones fire at once. Re-arming early is harmless. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Enough to tell ids of the same millisecond apart for ever. */
const randomPart = customAlphabet('0123456789abcdefghijkmnpqrstvwxyz', 12)

/** The real world: system clocks, timers and randomness, and boundaries that do nothing. */
export const realWorld: World = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, fn) {
    const timer = setTimeout(fn, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS))
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
  newId: (prefix) => `${prefix}${Date.now().toString(36)}${randomPart()}`,
  boundary: () => {},
}
