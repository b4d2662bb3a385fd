import { hasCode } from '../../model/errors.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { Database } from './database.ts'
import { insertJournal } from './journal.ts'
import type { Tx } from './tx.ts'

interface Job {
  readonly work: (tx: Tx) => unknown
  readonly weight: number
  readonly settle: (outcome: Outcome) => void
}

interface Committed {
  readonly values: readonly unknown[]
  /** 0: no line was added. */
  readonly lastJournalId: number
}

type Outcome = { readonly value: unknown } | { readonly error: unknown }

export interface WriteQueueOptions {
  readonly newId: (prefix: string) => string
  /** Turns driver errors into ours. */
  readonly translate: (error: unknown) => unknown
  /** Calls back as soon as what is ready now has been handled; never a timer, or a lone sender would wait for it. */
  readonly defer: (fn: () => void) => void
  /** Called after a commit that added journal lines. */
  readonly onCommitted: (lastJournalId: number) => void
}

/** Work of one commit: bounds how long one commit keeps the event loop. A write of this weight has its own. */
export const MAX_WEIGHT = 1_000

/**
 * Gathers the writes asked for in one turn of the event loop into one transaction: one fsync for all of them. Each
 * resolves after the commit that holds it. A write that throws is undone alone and rejects alone.
 */
export class WriteQueue {
  readonly #db: Database
  readonly #options: WriteQueueOptions
  #jobs: Job[] = []
  #isDeferred = false
  #commits = 0

  constructor(db: Database, options: WriteQueueOptions) {
    this.#db = db
    this.#options = options
  }

  /** Transactions committed so far. */
  get commits(): number {
    return this.#commits
  }

  /** Runs `work` in the next transaction; it may be run again, so it must do nothing but write through `tx`. */
  enqueue<T>(work: (tx: Tx) => T, weight = 1): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (outcome: Outcome) => ('value' in outcome ? resolve(outcome.value as T) : reject(outcome.error))
      this.#jobs.push({ work, weight, settle })
      this.#flushSoon()
    })
  }

  /** Commits everything asked for so far, now. */
  drain(): void {
    while (this.#jobs.length > 0) this.#flush()
  }

  #flushSoon(): void {
    if (this.#isDeferred) return
    this.#isDeferred = true
    this.#options.defer(() => {
      this.#isDeferred = false
      try {
        this.#flush()
      } finally {
        // Whatever a listener did: the writes behind this commit must not wait for the next one to be asked for.
        if (this.#jobs.length > 0) this.#flushSoon()
      }
    })
  }

  #flush(): void {
    const jobs = this.#takeJobs()
    if (jobs.length === 0) return
    const outcome = this.#tryCommit(jobs, false)
    if ('values' in outcome) this.#settle(jobs, outcome)
    // The disk or the lock is to blame, not one of the writes: trying each alone would wait for it again and again.
    else if (hasCode(outcome.error, 'DISK_FULL', 'STORE_BUSY', 'STORE_BROKEN', 'DATA_DIR_UNUSABLE')) {
      for (const job of jobs) job.settle(outcome)
    } else for (const job of jobs) this.#flushAlone(job)
  }

  #flushAlone(job: Job): void {
    const outcome = this.#tryCommit([job], true)
    if ('values' in outcome) this.#settle([job], outcome)
    else job.settle(outcome)
  }

  #tryCommit(jobs: readonly Job[], isCareful: boolean): Committed | { readonly error: unknown } {
    try {
      const tx = new OpenTx(this.#db, this.#options, isCareful)
      // Left open only when a rollback failed; then it has to succeed before anything else does.
      this.#db.rollback()
      this.#db.run('BEGIN IMMEDIATE')
      const values = jobs.map((job) => job.work(tx))
      this.#db.run('COMMIT')
      this.#commits += 1
      return { values, lastJournalId: tx.lastJournalId }
    } catch (error) {
      this.#rollback()
      return { error: this.#options.translate(error) }
    }
  }

  #rollback(): void {
    try {
      this.#db.rollback()
    } catch {
      // The error that led here is the one to report; the next commit rolls back first.
    }
  }

  #settle(jobs: readonly Job[], done: Committed): void {
    jobs.forEach((job, index) => {
      job.settle({ value: done.values[index] })
    })
    if (done.lastJournalId > 0) this.#options.onCommitted(done.lastJournalId)
  }

  #takeJobs(): Job[] {
    let weight = 0
    let count = 0
    for (const job of this.#jobs) {
      if (count > 0 && weight + job.weight > MAX_WEIGHT) break
      weight += job.weight
      count += 1
    }
    return this.#jobs.splice(0, count)
  }
}

class OpenTx implements Tx {
  readonly db: Database
  readonly #options: WriteQueueOptions
  readonly #isCareful: boolean
  lastJournalId = 0

  constructor(db: Database, options: WriteQueueOptions, isCareful: boolean) {
    this.db = db
    this.#options = options
    this.#isCareful = isCareful
  }

  newId(prefix: string): string {
    return this.#options.newId(prefix)
  }

  journal(entry: JournalEntry): void {
    this.lastJournalId = insertJournal(this.db, entry)
  }

  guard<T>(part: () => T): T | Error {
    if (!this.#isCareful) return part()
    const lastJournalId = this.lastJournalId
    this.db.run('SAVEPOINT part')
    try {
      const value = part()
      this.db.run('RELEASE part')
      return value
    } catch (error) {
      // A full disk or an I/O error ends the whole transaction; then there is nothing left to go back to.
      if (!this.db.isInTransaction) throw error
      this.db.run('ROLLBACK TO part')
      this.db.run('RELEASE part')
      this.lastJournalId = lastJournalId
      const ours = this.#options.translate(error)
      return ours instanceof Error ? ours : new Error(String(ours))
    }
  }
}
