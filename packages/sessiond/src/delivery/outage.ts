import { backoffMs } from '../decide/backoff.ts'

const WAIT = { baseMs: 1000, maxMs: 30_000 }

/** Where an outage and its end are told; a pino logger fits. */
export interface OutageLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Tells of an outage once, and of its end once, however often it is noticed in between. */
export class Outage {
  readonly #log: OutageLog
  readonly #what: string
  #failures = 0

  constructor(log: OutageLog, what: string) {
    this.#log = log
    this.#what = what
  }

  /** Counts a failure and says how long to wait before the next attempt. */
  failed(err: unknown): number {
    if (this.#failures === 0) this.#log.warn({ err }, `${this.#what} fails`)
    this.#failures += 1
    return backoffMs(WAIT, this.#failures - 1, 0)
  }

  recovered(): void {
    if (this.#failures > 0) this.#log.info({ failures: this.#failures }, `${this.#what} works again`)
    this.#failures = 0
  }
}
