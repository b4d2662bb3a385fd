import type { DatabaseSync } from 'node:sqlite'
import { MAILBOX_PRAGMAS } from '@sessiond/protocol'
import { describeError, RunnerError } from '../errors.ts'
import type { RunnerWorld } from '../world.ts'
import { loadSqlite } from './load-sqlite.ts'
import { isPassing } from './sqlite-errors.ts'

/** Longest wait for the host's reader in one go; the event loop, and so the beat, stands still meanwhile. */
const BUSY_TIMEOUT_MS = 100
/** First wait before another attempt; twice as long each time, for a full disk may stay full. */
const RETRY_MS = 25
const MAX_RETRY_MS = 1_000

export interface OutboundFileOptions {
  readonly path: string
  readonly world: RunnerWorld
  /**
   * For crash tests: every transaction has its changed pages on disk before it commits, so that dying inside it
   * leaves a hot journal.
   */
  readonly spillsEarly: boolean
}

/**
 * The one writer of `outbound.db`. The file is opened and closed for each transaction: what is written always goes
 * into the file the host reads, even when that was put in another's place, and nothing is held that a kill could
 * leave behind but the journal of the transaction it hit. That costs 0.1 ms beside the commit's own 0.5 ms.
 */
export class OutboundFile {
  readonly #options: OutboundFileOptions
  #tail: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(options: OutboundFileOptions) {
    this.#options = options
  }

  /** Runs `work` in one write transaction, after every earlier one; waits out whatever passes by itself. */
  transaction<T>(work: (db: DatabaseSync) => T): Promise<T> {
    const result = this.#tail.then(() => this.#untilDone(work))
    // The next one does not care how this one ended; its caller does.
    this.#tail = result.catch(() => {})
    return result
  }

  /** One transaction at once, without waiting for anything: throws whatever stands in its way. */
  transactionNow<T>(work: (db: DatabaseSync) => T): T {
    const db = new (loadSqlite().DatabaseSync)(this.#options.path, { timeout: BUSY_TIMEOUT_MS })
    try {
      db.exec(`${MAILBOX_PRAGMAS} PRAGMA synchronous=NORMAL;`)
      if (this.#options.spillsEarly) db.exec('PRAGMA cache_size=1; PRAGMA cache_spill=1')
      db.exec('BEGIN IMMEDIATE')
      const result = work(db)
      db.exec('COMMIT')
      return result
    } finally {
      // Closing rolls back what was not committed.
      db.close()
    }
  }

  /** Refuses what comes later and waits for the transaction under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#tail
  }

  async #untilDone<T>(work: (db: DatabaseSync) => T): Promise<T> {
    for (let waitMs = RETRY_MS; ; waitMs = Math.min(waitMs * 2, MAX_RETRY_MS)) {
      if (this.#isClosed) throw new RunnerError('MAILBOX_CLOSED', 'the mailbox is closed')
      try {
        return this.transactionNow(work)
      } catch (error) {
        if (!isSqliteError(error)) throw error
        if (!isPassing(error)) throw unwritable(this.#options.path, error)
        await new Promise<void>((resolve) => this.#options.world.setTimer(waitMs, resolve))
      }
    }
  }
}

/** Says in one line that the mailbox cannot be written, and why. */
export function unwritable(path: string, cause: unknown): RunnerError {
  const who = process.getuid === undefined ? 'this user' : `uid ${process.getuid()}`
  return new RunnerError('MAILBOX_UNWRITABLE', `cannot write ${path} as ${who}: ${describeError(cause)}`, cause)
}

function isSqliteError(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error
}
