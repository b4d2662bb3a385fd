import type { JournalEntry } from '../../model/journal.ts'
import type { Database } from './database.ts'

/** What a write works with: one open transaction. Nothing of it may be kept beyond the call. */
export interface Tx {
  readonly db: Database
  newId(prefix: string): string
  /** Adds a line to the journal in this transaction. */
  journal(entry: JournalEntry): void
  /**
   * Runs one of several independent parts. Normally just calls it; when the transaction is done over because a part
   * threw, the part that throws is undone alone and its error returned.
   */
  guard<T>(part: () => T): T | Error
}
