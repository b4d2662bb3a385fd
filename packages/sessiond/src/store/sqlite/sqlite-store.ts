import { join } from 'node:path'
import type { ProviderPolicy } from '../../config/config.ts'
import { SessiondError } from '../../model/errors.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { NewMessage, SendReceipt } from '../../model/message.ts'
import type { RequestAnswer } from '../../model/request.ts'
import type { RunEnd, RunHandle } from '../../model/run.ts'
import type { NewSeries, Series } from '../../model/series.ts'
import {
  type BeginRunResult,
  type DeliveryOutcome,
  type EndRun,
  NO_ROWS,
  type PrunedRows,
  type RowCursor,
  type RowPruning,
  type RunKey,
  type SeriesChange,
  type SeriesChanged,
  type Store,
  type TakeOutbox,
  type TakeOutboxResult,
  type WindowLimits,
  type WindowMessage,
} from '../store.ts'
import { accept } from './accept.ts'
import { assignAccounts, isStepDue, stepAccounts } from './accounts.ts'
import { putOffArchive, recordArchived } from './archives.ts'
import { beginRun } from './begin-run.ts'
import { requestCancel, requestCancelOfClaimed } from './cancel.ts'
import { RECALLED_AT_ONCE, recallAccounts, recallDeliveries, recallMessages, wasClockSetBack } from './clock-step.ts'
import type { Database } from './database.ts'
import { dropDeadMessage, replayDeadMessage } from './dead-letters.ts'
import { dropDeadDelivery, recordDelivery, replayDeadDelivery } from './deliveries.ts'
import { recordDisk } from './disk.ts'
import { endRun } from './end-run.ts'
import { STORE_FILE } from './open-database.ts'
import { checkpoint, checkpointOften, cutFreePages, hasFreePages, refuseLargeLog } from './prune/free-space.ts'
import { type NextRows, nextRows, removeRows } from './prune/prune-rows.ts'
import { recordAnswer } from './requests.ts'
import { recordKillSent, recordRunHandle, recordRunStarted, recordStopIntent, recordUnkillable } from './runs.ts'
import { changeSeries, createSeries } from './series/change-series.ts'
import { assignZones, isSeriesDue, STEPPED_AT_ONCE, setTimeZone, stepDueSeries } from './series/due-series.ts'
import { closeSession, ENDED_AT_ONCE, endClosed, findEnding } from './sessions.ts'
import { SqliteReader } from './sqlite-reader.ts'
import { takeOutbox } from './take-outbox.ts'
import { translateError } from './translate-error.ts'
import type { Tx } from './tx.ts'
import { fillWindow } from './window.ts'
import { MAX_WEIGHT, WriteQueue } from './write-queue.ts'

export interface SqliteStoreOptions {
  readonly newId: (prefix: string) => string
  readonly defer: (fn: () => void) => void
}

/**
 * The store in one SQLite file, in this process. Writes asked for in one turn of the event loop share one commit, and
 * so one fsync; each promise resolves after that commit.
 */
export class SqliteStore extends SqliteReader implements Store {
  readonly #queue: WriteQueue
  readonly #listeners = new Set<(lastId: number) => void>()
  #isClosed = false

  constructor(db: Database, dataDir: string, options: SqliteStoreOptions) {
    super(db, dataDir, options.defer)
    this.#queue = new WriteQueue(db, {
      ...options,
      translate: (error) => translateError(error, dataDir),
      onCommitted: (lastId) => {
        for (const listener of this.#listeners) listener(lastId)
      },
    })
  }

  /** Transactions committed since it was opened. */
  get commits(): number {
    return this.#queue.commits
  }

  async accept(messages: readonly NewMessage[], nowMs: number): Promise<(SendReceipt | Error)[]> {
    if (messages.length === 0) return []
    return this.#write((tx) => accept(tx, messages, nowMs), messages.length)
  }
  requestCancel(messageId: string, nowMs: number): ReturnType<Store['requestCancel']> {
    return this.#write((tx) => requestCancel(tx, messageId, nowMs))
  }
  requestCancelOfClaimed(sessionId: string, nowMs: number): Promise<number> {
    return this.#write((tx) => requestCancelOfClaimed(tx, sessionId, nowMs))
  }
  closeSession(sessionId: string, nowMs: number): ReturnType<Store['closeSession']> {
    return this.#write((tx) => closeSession(tx, sessionId, nowMs), ENDED_AT_ONCE)
  }
  async endClosed(nowMs: number): Promise<boolean> {
    const isLeft = () => this.read(() => findEnding(this.db) !== undefined)
    if (!isLeft()) return false
    await this.#write((tx) => endClosed(tx, nowMs), ENDED_AT_ONCE)
    return isLeft()
  }
  async recallDue(nowMs: number): Promise<boolean> {
    const isLeft = () => this.read(() => wasClockSetBack(this.db, nowMs))
    if (!isLeft()) return false
    await this.#write((tx) => {
      recallMessages(tx.db, nowMs)
      recallDeliveries(tx.db, nowMs)
      recallAccounts(tx.db, nowMs)
    }, RECALLED_AT_ONCE)
    return isLeft()
  }
  assignAccounts(accountOf: ReadonlyMap<string, string>): Promise<void> {
    return this.#write((tx) => assignAccounts(tx, accountOf))
  }
  async stepAccounts(nowMs: number, policy: ProviderPolicy): Promise<boolean> {
    const isDue = this.read(() => isStepDue(this.db, nowMs))
    return isDue && (await this.#write((tx) => stepAccounts(tx, nowMs, policy)))
  }
  createSeries(series: NewSeries, nowMs: number): Promise<Series | Error> {
    return this.#write((tx) => createSeries(tx, series, nowMs))
  }
  changeSeries(seriesId: string, change: SeriesChange, nowMs: number): Promise<SeriesChanged> {
    return this.#write((tx) => changeSeries(tx, seriesId, change, nowMs))
  }
  async stepDueSeries(pass: Parameters<Store['stepDueSeries']>[0]): ReturnType<Store['stepDueSeries']> {
    if (!this.read(() => isSeriesDue(this.db, pass.nowMs))) return { fired: [], interrupted: [], isMore: false }
    return this.#write((tx) => stepDueSeries(tx, pass), STEPPED_AT_ONCE)
  }
  assignZones(zoneOf: ReadonlyMap<string, string>, nowMs: number): Promise<void> {
    return this.#write((tx) => assignZones(tx, zoneOf, nowMs))
  }
  setTimeZone(sessionId: string, timeZone: string | null, nowMs: number): Promise<boolean> {
    return this.#write((tx) => setTimeZone(tx, sessionId, timeZone, nowMs))
  }
  beginRun(intent: Parameters<Store['beginRun']>[0]): Promise<BeginRunResult> {
    return this.#write((tx) => beginRun(tx, intent))
  }
  recordRunHandle(run: RunKey, handle: RunHandle): Promise<boolean> {
    return this.#write((tx) => recordRunHandle(tx, run, handle))
  }
  recordRunStarted(run: RunKey, nowMs: number): Promise<boolean> {
    return this.#write((tx) => recordRunStarted(tx, run, nowMs))
  }
  recordStopIntent(
    run: RunKey,
    end: RunEnd,
    evidence: Readonly<Record<string, unknown>>,
    nowMs: number,
  ): Promise<boolean> {
    return this.#write((tx) => recordStopIntent(tx, run, end, evidence, nowMs))
  }
  recordKillSent(run: RunKey, nowMs: number): Promise<boolean> {
    return this.#write((tx) => recordKillSent(tx, run, nowMs))
  }
  recordUnkillable(run: RunKey, nowMs: number): Promise<boolean> {
    return this.#write((tx) => recordUnkillable(tx, run, nowMs))
  }
  endRun(end: EndRun): ReturnType<Store['endRun']> {
    return this.#write((tx) => endRun(tx, end))
  }
  fillWindow(run: RunKey, nowMs: number, limits: WindowLimits, isFirstLook: boolean): Promise<WindowMessage[] | null> {
    return this.#write((tx) => fillWindow(tx, run, nowMs, limits, isFirstLook))
  }
  takeOutbox(taken: TakeOutbox): Promise<TakeOutboxResult> {
    return this.#write((tx) => takeOutbox(tx, taken))
  }
  recordAnswer(ordinal: number, answer: RequestAnswer, nowMs: number): Promise<boolean> {
    return this.#write((tx) => recordAnswer(tx, ordinal, answer, nowMs))
  }
  recordDelivery(deliveryId: number, attempt: number, outcome: DeliveryOutcome, nowMs: number): Promise<boolean> {
    return this.#write((tx) => recordDelivery(tx, deliveryId, attempt, outcome, nowMs))
  }
  replayDeadMessage(messageId: string, nowMs: number): ReturnType<Store['replayDeadMessage']> {
    return this.#write((tx) => replayDeadMessage(tx, messageId, nowMs))
  }
  dropDeadMessage(messageId: string, nowMs: number): ReturnType<Store['dropDeadMessage']> {
    return this.#write((tx) => dropDeadMessage(tx, messageId, nowMs))
  }
  replayDeadDelivery(deliveryId: number, nowMs: number): ReturnType<Store['replayDeadDelivery']> {
    return this.#write((tx) => replayDeadDelivery(tx, deliveryId, nowMs))
  }
  dropDeadDelivery(deliveryId: number, nowMs: number): ReturnType<Store['dropDeadDelivery']> {
    return this.#write((tx) => dropDeadDelivery(tx, deliveryId, nowMs))
  }
  async pruneRows(
    pass: RowPruning,
    cursor: RowCursor | null,
  ): Promise<{ removed: PrunedRows; cursor: RowCursor | null }> {
    const next = this.read(() => nextRows(this.db, pass, cursor))
    if (next.due.length > 0) {
      this.read(() => refuseLargeLog(this.db, join(this.dataDir, STORE_FILE)))
      return this.#remove(pass, next)
    }
    // Whoever asks again at once must not keep everybody else waiting.
    await this.pause()
    return { removed: NO_ROWS, cursor: next.cursor }
  }
  async giveBackSpace(): Promise<boolean> {
    if (!this.read(() => hasFreePages(this.db))) return false
    this.read(() => refuseLargeLog(this.db, join(this.dataDir, STORE_FILE)))
    await this.#write((tx) => cutFreePages(tx.db), MAX_WEIGHT)
    return this.read(() => {
      checkpoint(this.db)
      return hasFreePages(this.db)
    })
  }
  recordArchived(sessionId: string, detail: JournalEntry['detail'], nowMs: number): Promise<boolean> {
    return this.#write((tx) => recordArchived(tx, sessionId, detail, nowMs))
  }
  putOffArchive(sessionId: string, reason: Parameters<Store['putOffArchive']>[1], nowMs: number): Promise<void> {
    return this.#write((tx) => putOffArchive(tx, sessionId, reason, nowMs))
  }
  recordDisk(disk: Parameters<Store['recordDisk']>[0], nowMs: number): Promise<boolean> {
    return this.#write((tx) => recordDisk(tx, disk, nowMs))
  }
  async append(entries: readonly JournalEntry[]): Promise<void> {
    if (entries.length === 0) return
    await this.#write((tx) => {
      for (const entry of entries) tx.journal(entry)
    })
  }
  onJournal(listener: (lastId: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  override async close(): Promise<void> {
    if (this.#isClosed) return
    this.#queue.drain()
    this.#isClosed = true
    this.#listeners.clear()
    await super.close()
  }

  protected override read<T>(ask: () => T): T {
    this.#refuseClosed()
    return super.read(ask)
  }

  async #remove(pass: RowPruning, next: NextRows): ReturnType<Store['pruneRows']> {
    checkpointOften(this.db, true)
    try {
      return await this.#write((tx) => removeRows(tx, pass, next), MAX_WEIGHT)
    } finally {
      if (!this.#isClosed) checkpointOften(this.db, false)
    }
  }

  async #write<T>(work: (tx: Tx) => T, weight = 1): Promise<T> {
    this.#refuseClosed()
    return this.#queue.enqueue(work, weight)
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new SessiondError('HOST_STOPPING', 'The store is closed.')
  }
}
