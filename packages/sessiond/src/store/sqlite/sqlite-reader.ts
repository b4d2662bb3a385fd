import type { Account, AccountInUse } from '../../model/account.ts'
import { SessiondError } from '../../model/errors.ts'
import type { Message } from '../../model/message.ts'
import type { Reply } from '../../model/reply.ts'
import type { AgentRequest } from '../../model/request.ts'
import type { Run } from '../../model/run.ts'
import type { LedgerLine, LedgerSums, Series } from '../../model/series.ts'
import type { Session, SessionSummary } from '../../model/session.ts'
import type {
  CountedRows,
  DeadLetter,
  DueDelivery,
  MessageFilter,
  ReferencesRead,
  RunKey,
  SessionFacts,
  Store,
  StoreReader,
  WaitingSession,
} from '../store.ts'
import { getAccountOf, listAccounts } from './accounts.ts'
import { isSettled, listUnarchived } from './archives.ts'
import { refuseCopy } from './copied-store.ts'
import type { Database } from './database.ts'
import { listDead } from './dead-letters.ts'
import { getDeadDelivery, listDueDeliveries, nextDeliveryAtMs } from './deliveries.ts'
import { isDiskLow } from './disk.ts'
import { readFacts } from './facts.ts'
import { lastJournalId, listJournal, readJournal } from './journal.ts'
import { getCountedAcks, getMessage, getMessages, listMessages } from './messages.ts'
import { readInstallId } from './migrate.ts'
import { openForReading } from './open-database.ts'
import { readActiveReferences, refreshActiveReferences } from './prune/active-references.ts'
import { countRows } from './prune/prune-rows.ts'
import { getReplies, listReplies, listRepliesAfter } from './replies.ts'
import { listAnswers, listOpenRequests } from './requests.ts'
import { getRun, listLiveRuns, listRuns } from './runs.ts'
import { listSeries, nextSeriesAtMs } from './series/due-series.ts'
import { listLedger, readLedgerSums } from './series/ledger.ts'
import { getSeries } from './series/series-rows.ts'
import { getSessionState } from './session-state.ts'
import { getSession, getSessionSummary, listSessions } from './sessions.ts'
import { translateError } from './translate-error.ts'
import { listWaiting, nextDueAtMs, oldestDueAtMs } from './waiting.ts'

/** Everything the store can be asked, on one SQLite connection. */
export class SqliteReader implements StoreReader {
  readonly installId: string
  protected readonly db: Database
  protected readonly dataDir: string
  readonly #defer: (fn: () => void) => void

  constructor(db: Database, dataDir: string, defer: (fn: () => void) => void = setImmediate) {
    this.db = db
    this.dataDir = dataDir
    this.#defer = defer
    this.installId = readInstallId(db)
  }

  async getSession(sessionId: string): Promise<Session | null> {
    return this.read(() => getSession(this.db, sessionId))
  }
  async getSessionSummary(sessionId: string): Promise<SessionSummary | null> {
    return this.read(() => getSessionSummary(this.db, sessionId))
  }
  async listSessions(query: Parameters<Store['listSessions']>[0]): Promise<SessionSummary[]> {
    return this.read(() => listSessions(this.db, query))
  }
  async getMessage(messageId: string): Promise<Message | null> {
    return this.read(() => getMessage(this.db, messageId))
  }
  async getMessages(messageIds: readonly string[]): Promise<Message[]> {
    return this.read(() => getMessages(this.db, messageIds))
  }
  async getCountedAcks(messageIds: readonly string[]): Promise<Map<string, string>> {
    return this.read(() => getCountedAcks(this.db, messageIds))
  }
  async listMessages(filter: MessageFilter): Promise<Message[]> {
    return this.read(() => listMessages(this.db, filter))
  }
  async listReplies(query: Parameters<Store['listReplies']>[0]): Promise<Reply[]> {
    return this.read(() => listReplies(this.db, query))
  }

  async listRepliesAfter(query: Parameters<Store['listRepliesAfter']>[0]): Promise<Reply[]> {
    return this.read(() => listRepliesAfter(this.db, query))
  }
  async getReplies(replyIds: readonly string[]): Promise<Reply[]> {
    return this.read(() => getReplies(this.db, replyIds))
  }
  async getRun(sessionId: string, epoch: number): Promise<Run | null> {
    return this.read(() => getRun(this.db, sessionId, epoch))
  }
  async listRuns(sessionId: string, limit: number): Promise<Run[]> {
    return this.read(() => listRuns(this.db, sessionId, limit))
  }
  async getSessionState(sessionId: string): Promise<Map<string, string>> {
    return this.read(() => getSessionState(this.db, sessionId))
  }
  async listWaiting(nowMs: number, perGroup: number): Promise<WaitingSession[]> {
    return this.read(() => listWaiting(this.db, nowMs, perGroup))
  }
  async listLiveRuns(): Promise<Run[]> {
    return this.read(() => listLiveRuns(this.db))
  }
  async nextDueAtMs(nowMs: number): Promise<number | null> {
    return this.read(() => nextDueAtMs(this.db, nowMs))
  }
  async readFacts(sessionId: string, nowMs: number): Promise<SessionFacts | null> {
    return this.read(() => readFacts(this.db, sessionId, nowMs))
  }
  async oldestDueAtMs(nowMs: number): Promise<number | null> {
    return this.read(() => oldestDueAtMs(this.db, nowMs))
  }
  async listAccounts(): Promise<AccountInUse[]> {
    return this.read(() => listAccounts(this.db))
  }
  async getSeries(seriesId: string): Promise<Series | null> {
    return this.read(() => getSeries(this.db, seriesId))
  }
  async listSeries(query: Parameters<StoreReader['listSeries']>[0]): Promise<Series[]> {
    return this.read(() => listSeries(this.db, query))
  }
  async nextSeriesAtMs(): Promise<number | null> {
    return this.read(() => nextSeriesAtMs(this.db))
  }
  async listLedger(query: Parameters<StoreReader['listLedger']>[0]): Promise<LedgerLine[]> {
    return this.read(() => listLedger(this.db, query))
  }
  async readLedgerSums(seriesId: string): Promise<LedgerSums | null> {
    return this.read(() => readLedgerSums(this.db, seriesId))
  }
  async getAccount(group: string): Promise<Account> {
    return this.read(() => getAccountOf(this.db, group))
  }
  async listOpenRequests(limit: number): Promise<AgentRequest[]> {
    return this.read(() => listOpenRequests(this.db, limit))
  }
  async listAnswers(run: RunKey, limit: number): ReturnType<Store['listAnswers']> {
    return this.read(() => listAnswers(this.db, run, limit))
  }
  async listDueDeliveries(nowMs: number, limit: number, busy: readonly string[] = []): Promise<DueDelivery[]> {
    return this.read(() => listDueDeliveries(this.db, nowMs, limit, busy))
  }
  async nextDeliveryAtMs(): Promise<number | null> {
    return this.read(() => nextDeliveryAtMs(this.db))
  }
  async getDeadDelivery(deliveryId: number): Promise<DueDelivery | null> {
    return this.read(() => getDeadDelivery(this.db, deliveryId))
  }
  async listDead(query: Parameters<Store['listDead']>[0]): Promise<DeadLetter[]> {
    return this.read(() => listDead(this.db, query))
  }
  readActiveReferences(): Promise<ReferencesRead> {
    return this.#readReferences((db) => readActiveReferences(db, () => this.pause()))
  }
  refreshActiveReferences(before: ReferencesRead, sessionIds: readonly string[]): Promise<ReferencesRead> {
    return this.#readReferences((db) => refreshActiveReferences(db, before, sessionIds, () => this.pause()))
  }
  /** On a connection of its own, so that what it reads stays one state while others write. */
  async #readReferences(ask: (db: Database) => Promise<ReferencesRead>): Promise<ReferencesRead> {
    try {
      const db = this.read(() => openForReading(this.dataDir))
      try {
        return await ask(db)
      } finally {
        db.close()
      }
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error)
      throw new SessiondError('REFERENCES_UNREADABLE', `What active sessions reference cannot be read (${words}).`, {
        fields: { dataDir: this.dataDir },
        cause: translateError(error, this.dataDir),
      })
    }
  }
  countPrunableRows(...[pass, limits]: Parameters<Store['countPrunableRows']>): Promise<CountedRows> {
    return countRows(
      (question) => this.read(() => question(this.db)),
      pass,
      limits,
      () => this.pause(),
    )
  }
  async listUnarchived(query: Parameters<Store['listUnarchived']>[0]): ReturnType<Store['listUnarchived']> {
    // Asked for page after page, however many there are.
    await this.pause()
    return this.read(() => listUnarchived(this.db, query))
  }
  async isSettled(sessionId: string): Promise<boolean> {
    return this.read(() => isSettled(this.db, sessionId))
  }
  async isDiskLow(): Promise<boolean> {
    return this.read(() => isDiskLow(this.db))
  }
  async readJournal(query: Parameters<Store['readJournal']>[0]): ReturnType<Store['readJournal']> {
    return this.read(() => readJournal(this.db, query))
  }
  async listJournal(query: Parameters<Store['listJournal']>[0]): ReturnType<Store['listJournal']> {
    return this.read(() => listJournal(this.db, query))
  }
  async lastJournalId(): Promise<number> {
    return this.read(() => lastJournalId(this.db))
  }
  /** Reads the whole file and names what is damaged in it, at most ten things; empty: sound. Takes time on a large one. */
  async checkIntegrity(): Promise<string[]> {
    const rows = this.read(() => this.db.all<{ quick_check: string }>('PRAGMA quick_check(10)'))
    return rows.map((row) => row.quick_check).filter((words) => words !== 'ok')
  }
  /** Throws DATA_DIR_COPIED when this store and the one it was copied from would be at odds over what runs. */
  async refuseCopy(): Promise<void> {
    this.read(() => refuseCopy(this.db, this.dataDir))
  }
  async close(): Promise<void> {
    this.db.close()
  }

  /** Lets everything else that is ready go first. */
  protected pause(): Promise<void> {
    return new Promise((resolve) => this.#defer(resolve))
  }

  /** Reads happen at once and see what is committed; what SQLite throws is translated here. */
  protected read<T>(ask: () => T): T {
    try {
      return ask()
    } catch (error) {
      throw translateError(error, this.dataDir)
    }
  }
}
