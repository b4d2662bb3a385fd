import type { ProviderPolicy } from '../config/config.ts'
import type { ReportedTrouble } from '../decide/decide-retry.ts'
import type { Account, AccountBar, AccountInUse } from '../model/account.ts'
import type { ActiveReferences } from '../model/artifact.ts'
import type { JournalEntry, JournalRecord } from '../model/journal.ts'
import type {
  Message,
  MessageFailure,
  MessageStatus,
  MessageTroubles,
  NewMessage,
  SendReceipt,
} from '../model/message.ts'
import type { Delivery, Reply } from '../model/reply.ts'
import type { AgentRequest, RequestAnswer } from '../model/request.ts'
import type { RowRetention } from '../model/retention.ts'
import type { Run, RunEnd, RunExit, RunHandle } from '../model/run.ts'
import type { LedgerLine, LedgerSums, NewSeries, Series, SeriesPlan, SeriesState } from '../model/series.ts'
import type { Session, SessionSummary } from '../model/session.ts'

/** One run, named so that a stale decision hits nothing: every write checks all three. */
export interface RunKey {
  readonly sessionId: string
  readonly epoch: number
  readonly name: string
}

export type BeginRunResult =
  | { readonly begun: true; readonly run: Run }
  | {
      readonly begun: false
      readonly because: 'live-run' | 'closed' | 'cap' | 'not-due' | 'back-off' | 'account-parked' | 'no-session'
    }

/**
 * What becomes of one message a run held. Applied only while the message is still claimed by, or projected to,
 * this epoch with this attempt; otherwise the store leaves it and counts it in `ignored`.
 */
export type Settlement = {
  readonly messageId: string
  readonly attempt: number
} & (
  | { readonly to: 'claimed' }
  | { readonly to: 'completed' }
  | {
      readonly to: 'retry'
      readonly spendsTry: boolean
      /** From now on until it ends, a run sees it alone (see fillWindow); false does not take that back. */
      readonly isSuspect: boolean
      readonly processAfterMs: number
      readonly error: string | null
      /** Why, in a word, for the journal: `agent-failed`, `exited`, `claim-silent`, `rate-limit`, … */
      readonly because: string
      /** Parks the account of the session in the same transaction; the message is due when the park ends. */
      readonly trouble?: ReportedTrouble
      /** What the message has met of its provider's trouble from now on. */
      readonly troubles?: MessageTroubles
    }
  | {
      readonly to: 'failed'
      readonly spendsTry: boolean
      readonly failure: MessageFailure
      readonly error: string | null
      readonly because: string
      readonly deadLetter: boolean
      /** The one message the user gets about it; null: the user asked for it and is not told again. */
      readonly tell: string | null
    }
)

export interface NewReply {
  readonly id: string
  readonly seq: number
  readonly inReplyTo: string | null
  readonly kind: Reply['kind']
  readonly content: string
  readonly deliverAfterMs: number
  readonly address: Reply['address']
}

/** A request as one batch of an outbox brings it. */
export interface NewRequest {
  readonly id: string
  readonly seq: number
  readonly content: string
}

/** An acknowledgement without attempt that counted, in words that tell it from the next one. */
export interface CountedAck {
  readonly messageId: string
  readonly ack: string
}

/** One batch of what a run wrote, decided and ready to be stored in one transaction. */
export interface TakeOutbox {
  readonly run: RunKey
  readonly nowMs: number
  readonly settlements: readonly Settlement[]
  /** Kept whether or not their settlements still fit: they must not count for a later handing-out. */
  readonly countedAcks: readonly CountedAck[]
  readonly replies: readonly NewReply[]
  readonly requests: readonly NewRequest[]
  /** New cursor; never moves back. */
  readonly takenSeq: number
  readonly sessionState: readonly { readonly key: string; readonly value: string }[]
  /** Sinks of the group: each reply becomes one delivery per sink. */
  readonly sinks: readonly string[]
  /** By which the account of the session is parked and opened. */
  readonly provider: ProviderPolicy
  /** Extra lines (ignored evidence, refused rows). */
  readonly journal: readonly JournalEntry[]
}

export interface TakeOutboxResult {
  /** False: the run is gone or another one; nothing was written but the journal. */
  readonly applied: boolean
  /** Settlements that no longer fitted. */
  readonly ignored: number
  readonly repliesAdded: number
  /** True: what it says of the account lets others of it work, or holds them back. */
  readonly accountMoved: boolean
}

/** The confirmed end of a run with everything that follows from it, in one transaction. */
export interface EndRun {
  readonly run: RunKey
  readonly nowMs: number
  readonly end: RunEnd
  readonly exit: RunExit | null
  /** One for every message the run held claimed. What was projected but unclaimed goes back to pending by itself. */
  readonly settlements: readonly Settlement[]
  readonly sinks: readonly string[]
  /** By which the account of the session is parked, when others of it stalled too. */
  readonly provider: ProviderPolicy
  /** Set when the run ended before its first claim and that counts as a spawn failure. */
  readonly spawnFailure: { readonly error: string; readonly notBeforeMs: number; readonly tell: string | null } | null
  readonly journal: readonly JournalEntry[]
}

/** What is due and has no live run, for admission: already filtered by status, back-off and closure. */
export interface WaitingSession {
  readonly sessionId: string
  readonly group: string
  readonly oldestDueAtMs: number
}

/** All the store knows of one session that a decision may need, read in one go. */
export interface SessionFacts {
  readonly session: Session
  readonly run: Run | null
  /** Messages the live run holds claimed, oldest first. */
  readonly claimed: readonly Message[]
  /** Set while something is due and the account of the session holds it back; the two figures below are 0 then. */
  readonly barred: AccountBar | null
  /**
   * Pending trigger messages due at `nowMs`, not held by the live run's mailbox; counted up to 1,000. Those meant for
   * a run's first look are left out once the live run has started.
   */
  readonly dueUnprojected: number
  /** Pending trigger messages in the live run's mailbox, not yet claimed. */
  readonly projectedUnclaimed: number
  readonly oldestDueAtMs: number | null
  /** Earliest future due time of a pending trigger message. */
  readonly nextDueAtMs: number | null
}

export interface WindowLimits {
  readonly messages: number
  readonly bytes: number
}

/** A message of a run's window. */
export interface WindowMessage extends Message {
  /** Handed over before its account was held back, and not claimed: the run shall see it and leave it alone. */
  readonly isHeldBack: boolean
}

/** What becomes of a series by somebody's wish. */
export type SeriesChange =
  /** `because`: who paused it, in words for the next reader. */
  | { readonly to: 'paused'; readonly because: string }
  | { readonly to: 'resumed' | 'ended' | 'run-now' }
  | { readonly to: 'updated'; readonly plan: Partial<SeriesPlan>; readonly content: string | null }

/** `firedId`: the message that is due because of it. */
export type SeriesChanged =
  | { readonly done: true; readonly series: Series; readonly firedId: string | null }
  | {
      readonly done: false
      readonly because: 'not-found' | 'ended' | 'paused' | 'active' | 'live' | 'session-closed'
    }

export interface DueDelivery {
  readonly delivery: Delivery
  readonly reply: Reply
}

export type DeliveryOutcome =
  | { readonly to: 'delivered'; readonly platformMessageId: string | null }
  | { readonly to: 'retry'; readonly nextAttemptAtMs: number; readonly error: string }
  | { readonly to: 'failed'; readonly error: string }

export type DeadLetter =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'delivery'; readonly delivery: Delivery; readonly reply: Reply }

export interface MessageFilter {
  readonly sessionId: string
  readonly statuses?: readonly MessageStatus[]
  /** Newest first, older than this seq. */
  readonly beforeSeq?: number
  readonly limit: number
  readonly maxBytes?: number
}

export interface RepliesAfter {
  readonly sessionId: string
  readonly inReplyTo: string
  readonly afterId: string | null
  readonly limit: number
  readonly maxBytes: number
}

/** A closed session whose directory is not archived yet. */
export interface UnarchivedSession {
  readonly sessionId: string
  readonly group: string
  readonly closedAtMs: number
  /** It is not tried before; 0: nothing was tried. */
  readonly notBeforeMs: number
}

/** Classes of rows that are removed by age. */
export const ROW_CLASSES = ['messages', 'replies', 'deadLetters', 'journal', 'runs', 'ledger', 'sessions'] as const
export type RowClass = (typeof ROW_CLASSES)[number]
export type PrunedRows = Readonly<Record<RowClass, number>>

export const NO_ROWS: PrunedRows = {
  messages: 0,
  replies: 0,
  deadLetters: 0,
  journal: 0,
  runs: 0,
  ledger: 0,
  sessions: 0,
}

export interface CountedRows {
  readonly rows: PrunedRows
  /** False: there may be more of any class. */
  readonly isWhole: boolean
}

/** What one pruning of rows goes by, the same from its first batch to its last. */
export interface RowPruning {
  readonly nowMs: number
  /** Of groups not named in `groups`. */
  readonly retention: RowRetention
  readonly groups: ReadonlyMap<string, RowRetention>
}

/** What a reading of active references came to, with what a later one goes on from. */
export interface ReferencesRead {
  readonly active: ActiveReferences
  /** Number of the newest line of the journal when it was read: what is written later is told by it. */
  readonly readTo: number
}

/** Where a pruning of rows has come to; means something to the store that gave it alone, which takes any other for the beginning. */
export type RowCursor = string & { readonly __rowCursor: never }

/**
 * The one source of truth. Every method is one transaction: either all of it is durable when the promise
 * resolves, or none. Missing rows are return values, not errors, unless said. Throws SessiondErrors: DISK_FULL
 * (nothing was written), STORE_BUSY, STORE_BROKEN. A new adapter starts by passing testkit's exerciseStore.
 */
export interface Store {
  /** This install's identity, made with the store; the label on every container. */
  readonly installId: string

  // Senders
  /**
   * Accepts messages, creating sessions on first use; durable when it resolves. Concurrent calls share one
   * commit. Each message has its own outcome: a receipt, or a SessiondError (SESSION_CLOSED, SESSION_NAME_CLASH,
   * MESSAGE_ID_CONFLICT) that harms no other. Same id, session, kind, content and trigger: the first receipt again, `duplicate`.
   */
  accept(messages: readonly NewMessage[], nowMs: number): Promise<(SendReceipt | Error)[]>
  /** Asks for the end of an open message. Pending ones end at once; claimed ones when their run has let go. */
  requestCancel(messageId: string, nowMs: number): Promise<'cancelled' | 'requested' | 'not-open' | 'not-found'>
  /** Asks for the end of everything the live run holds claimed; returns how many. */
  requestCancelOfClaimed(sessionId: string, nowMs: number): Promise<number>
  /**
   * Closes a session: nothing is accepted, handed over or started any more. Its pending messages end (SESSION_CLOSED),
   * the first some hundred of them at once, the rest by `endClosed`. The live run is the caller's to stop.
   */
  closeSession(sessionId: string, nowMs: number): Promise<'closed' | 'already-closed' | 'not-found'>
  /** Ends the next some hundred messages still pending in closed sessions; true: there are more. */
  endClosed(nowMs: number): Promise<boolean>

  // The wall clock
  /**
   * Makes due at `nowMs`, the next some hundred at a time, what was due when it was stored (messages without a time,
   * retries at once, replies on their first way out) and would have to wait because the clock has been set back. What
   * waits for a time of its own goes on waiting for it. A parked account stays parked for as long as it was to be. True:
   * there is more.
   */
  recallDue(nowMs: number): Promise<boolean>

  // Readers
  getSession(sessionId: string): Promise<Session | null>
  listSessions(query: { group?: string; after?: string; limit: number; nowMs: number }): Promise<SessionSummary[]>
  getSessionSummary(sessionId: string, nowMs: number): Promise<SessionSummary | null>
  getMessage(messageId: string): Promise<Message | null>
  getMessages(messageIds: readonly string[]): Promise<Message[]>
  /**
   * Lists that hold texts end before `maxBytes` of content are passed, but not before their first item; absent: no
   * such bound. What is left out is not read into memory.
   */
  listMessages(filter: MessageFilter): Promise<Message[]>
  /** The newest of them, in order of arrival. */
  listReplies(query: { sessionId: string; inReplyTo?: string; limit: number; maxBytes?: number }): Promise<Reply[]>
  /** The oldest replies to a message after the one named, in order of arrival; `afterId` null: from the first. */
  listRepliesAfter(query: RepliesAfter): Promise<Reply[]>
  /** Those that exist, in the order asked for; an event names its reply by id. */
  getReplies(replyIds: readonly string[]): Promise<Reply[]>
  getRun(sessionId: string, epoch: number): Promise<Run | null>
  listRuns(sessionId: string, limit: number): Promise<Run[]>
  getSessionState(sessionId: string): Promise<Map<string, string>>

  // What is due: each cost follows due and running work, never registered sessions
  /** At most `perGroup` of each group, oldest due first. */
  listWaiting(nowMs: number, perGroup: number): Promise<WaitingSession[]>
  /** Every run not gone. */
  listLiveRuns(): Promise<Run[]>
  /** The next instant at which listWaiting, or a live run's due list, may have more to say; null: nothing pending. */
  nextDueAtMs(nowMs: number): Promise<number | null>
  readFacts(sessionId: string, nowMs: number): Promise<SessionFacts | null>
  /** Oldest due and unclaimed message of all sessions, for health. */
  oldestDueAtMs(nowMs: number): Promise<number | null>

  // Accounts
  /** Says which account each group uses, in place of all that was said before; a group not named uses one of its name. */
  assignAccounts(accountOf: ReadonlyMap<string, string>): Promise<void>
  /** Those that are not open, by name. */
  listAccounts(): Promise<AccountInUse[]>
  getAccount(group: string): Promise<Account>
  /** Moves on the accounts whose `stepAtMs` has come. True: more of their sessions may work. */
  stepAccounts(nowMs: number, policy: ProviderPolicy): Promise<boolean>

  // Series
  /** Makes a series, and its session where there is none. The same id again returns what is there. Errors: SESSION_*, SERIES_ID_CONFLICT. */
  createSeries(series: NewSeries, nowMs: number): Promise<Series | Error>
  getSeries(seriesId: string): Promise<Series | null>
  /** In order of id. */
  listSeries(query: {
    readonly sessionId?: string
    readonly states?: readonly SeriesState[]
    readonly after?: string
    readonly limit: number
  }): Promise<Series[]>
  changeSeries(seriesId: string, change: SeriesChange, nowMs: number): Promise<SeriesChanged>
  /**
   * Looks at the series that are due, a bounded number of them: fires what fires and enters the end of every other due
   * instant, each series by itself. `fired`: sessions that have a message more; `interrupted`: sessions whose run has to
   * be told that what it holds is cancelled. `lateBefore`: how many of this pass have fired; each later one that is late
   * starts later.
   */
  stepDueSeries(pass: {
    readonly nowMs: number
    readonly lateBefore: number
    readonly sinksOf: (group: string) => readonly string[]
  }): Promise<{
    readonly fired: readonly string[]
    readonly interrupted: readonly string[]
    readonly isMore: boolean
  }>
  /** When the next series is due; null: none. */
  nextSeriesAtMs(): Promise<number | null>
  /** Newest first. */
  listLedger(query: {
    readonly seriesId: string
    readonly beforeOrdinal?: number
    readonly limit: number
  }): Promise<LedgerLine[]>
  readLedgerSums(seriesId: string): Promise<LedgerSums | null>
  /** Says in which zone the sessions of each group are that have none of their own; series go by it from then on. */
  assignZones(zoneOf: ReadonlyMap<string, string>, nowMs: number): Promise<void>
  /** Gives a session a zone of its own; null: its group's. False: there is no such session. */
  setTimeZone(sessionId: string, timeZone: string | null, nowMs: number): Promise<boolean>

  // Run life
  /**
   * Records the intent to start the next epoch, if the session may: open, due, no live run, below the cap, its account
   * with room for it. The first of an account whose park is over is its probe from then on, in the same transaction.
   */
  beginRun(intent: {
    readonly sessionId: string
    readonly runtime: string
    /** Builds the run's unique name from its epoch. */
    readonly nameOf: (epoch: number) => string
    readonly maxLiveRuns: number
    /** A probe of its account that works so long without trouble is taken for an answer. */
    readonly probeForMs: number
    readonly nowMs: number
  }): Promise<BeginRunResult>
  /** All of these return false, and write nothing, when the run is not live any more. */
  recordRunHandle(run: RunKey, handle: RunHandle): Promise<boolean>
  recordRunStarted(run: RunKey, nowMs: number): Promise<boolean>
  /** First cause wins: a second intent changes nothing and returns false. */
  recordStopIntent(
    run: RunKey,
    end: RunEnd,
    evidence: Readonly<Record<string, unknown>>,
    nowMs: number,
  ): Promise<boolean>
  recordKillSent(run: RunKey, nowMs: number): Promise<boolean>
  recordUnkillable(run: RunKey, nowMs: number): Promise<boolean>
  endRun(end: EndRun): Promise<{ readonly applied: boolean; readonly ignored: number }>

  // Mailbox
  /**
   * The live run's window: messages it holds (claimed, cancel requests included) and, oldest first, due ones up
   * to the limits, context (trigger false) with them, on_wake ones only when `isFirstLook`. Newly chosen ones
   * are marked as projected to this epoch and get their next attempt number in the same transaction. A suspect shares the
   * window with no other trigger message: it is chosen when none is held, in its turn, and nothing is added beside it;
   * those behind it wait for it. While its account holds the session back, nothing is chosen, and what the run was handed
   * and has not claimed is in the window as held back: taken away, it might meet a claim that is under way. Null, and nothing written, when the run is not live: its successor's mailbox is not ours to write.
   */
  fillWindow(run: RunKey, nowMs: number, limits: WindowLimits, isFirstLook: boolean): Promise<WindowMessage[] | null>
  takeOutbox(taken: TakeOutbox): Promise<TakeOutboxResult>
  /** The last of `countedAcks` taken for each of these messages; no entry: none was. */
  getCountedAcks(messageIds: readonly string[]): Promise<Map<string, string>>

  // Requests of agents
  /** Those not answered yet, oldest first. */
  listOpenRequests(limit: number): Promise<AgentRequest[]>
  /** Once: false, and nothing written, when it has its answer. Only the newest answered requests of a session are kept. */
  recordAnswer(ordinal: number, answer: RequestAnswer, nowMs: number): Promise<boolean>
  /** What the run's requests came to, the newest `limit`, oldest first. */
  listAnswers(run: RunKey, limit: number): Promise<readonly ({ readonly requestId: string } & RequestAnswer)[]>

  // Replies on their way out
  /**
   * Due deliveries, at most one per session and sink (the oldest pending one, so order holds: while it waits for
   * its next attempt, none behind it is due), oldest due first. Sinks in `busy` are left out before the limit
   * counts, so that a full one hides no other. A reply its agent postponed (deliverAfter) waits for its own time and
   * holds up none behind it; several go in order of their times. The cost follows what is listed.
   */
  listDueDeliveries(nowMs: number, limit: number, busy?: readonly string[]): Promise<DueDelivery[]>
  /** When the next one of those heads is due; null: nothing is pending. */
  nextDeliveryAtMs(): Promise<number | null>
  /**
   * `attempt` is the number of the attempt just made: the delivery's `attempts` as it was listed, plus one.
   * False, and nothing written, unless the delivery is still pending with exactly `attempt - 1` attempts.
   */
  recordDelivery(deliveryId: number, attempt: number, outcome: DeliveryOutcome, nowMs: number): Promise<boolean>

  // Dead letters: failed messages, and deliveries whose sink refused them for good
  /** The one that died last first. */
  listDead(query: { sessionId?: string; limit: number; maxBytes?: number }): Promise<DeadLetter[]>
  /** Null unless it is dead now. */
  getDeadDelivery(deliveryId: number): Promise<DueDelivery | null>
  /** Back to pending with no tries spent. */
  replayDeadMessage(messageId: string, nowMs: number): Promise<'replayed' | 'not-dead' | 'not-found' | 'session-closed'>
  dropDeadMessage(messageId: string, nowMs: number): Promise<'dropped' | 'not-dead' | 'not-found'>
  replayDeadDelivery(deliveryId: number, nowMs: number): Promise<'replayed' | 'not-dead' | 'not-found'>
  dropDeadDelivery(deliveryId: number, nowMs: number): Promise<'dropped' | 'not-dead' | 'not-found'>

  // Retention
  /** Ids, sessions and runs whose files must stay. One reading of one state. Throws REFERENCES_UNREADABLE. */
  readActiveReferences(): Promise<ReferencesRead>
  /**
   * The same again for these sessions alone, as they are now, and for all ids, with those that have come since an earlier
   * reading. What it costs follows the sessions asked for and what was written since. Throws REFERENCES_UNREADABLE.
   */
  refreshActiveReferences(before: ReferencesRead, sessionIds: readonly string[]): Promise<ReferencesRead>
  /** Rows that would go now, by class, at most so many counted of each, and no further than it may go on. */
  countPrunableRows(
    pass: RowPruning,
    limits: { readonly rows: number; readonly mayGoOn: () => boolean },
  ): Promise<CountedRows>
  /**
   * Removes the next rows whose time is over, at most some hundred in a transaction, whose write lock is bounded (20 ms at
   * the 99th percentile). Nothing that has not ended, is not delivered, or is a dead letter within its time goes; what
   * others refer to goes after them. Null `cursor`: from the beginning; null in the answer: all has been looked at.
   */
  pruneRows(pass: RowPruning, cursor: RowCursor | null): Promise<{ removed: PrunedRows; cursor: RowCursor | null }>
  /** Gives room of removed rows back to the file system, a bounded piece at a time; true: there is more. */
  giveBackSpace(): Promise<boolean>

  // Archives of closed sessions
  /** In order of their closing, after the one named; the cost follows those that are listed and passed over. */
  listUnarchived(query: {
    readonly closedBeforeMs: number
    readonly group: string | null
    readonly after: UnarchivedSession | null
    readonly limit: number
  }): Promise<UnarchivedSession[]>
  /**
   * Whether nothing of a session is under way any more: it is closed, not archived, its last run is gone for certain, its
   * messages have ended, and no reply is left undelivered.
   */
  isSettled(sessionId: string): Promise<boolean>
  /** Says that its directory is no more; false, and nothing written, unless it is settled. `detail`: for the journal. */
  recordArchived(sessionId: string, detail: JournalEntry['detail'], nowMs: number): Promise<boolean>
  /** Says why it could not be archived; the journal is told when that is another reason than the last one. */
  putOffArchive(
    sessionId: string,
    reason: { readonly because: string; readonly notBeforeMs: number; readonly detail: JournalEntry['detail'] },
    nowMs: number,
  ): Promise<void>

  // The disk
  /** Whether the disk of the data directory is on record as low. */
  isDiskLow(): Promise<boolean>
  /**
   * Puts on record, and into the journal (`disk:low`, `disk:recovered`), that the disk has become low or is so no more.
   * Once: false, and nothing written, when that is on record already.
   */
  recordDisk(
    disk: { readonly isLow: boolean; readonly detail: JournalEntry['detail'] },
    nowMs: number,
  ): Promise<boolean>

  // Journal
  append(entries: readonly JournalEntry[]): Promise<void>
  /** Ascending, ids after `afterId`. */
  readJournal(query: {
    afterId: number
    sessionId?: string
    messageId?: string
    limit: number
  }): Promise<JournalRecord[]>
  /** Newest first. */
  listJournal(query: {
    sessionId?: string
    /** With `sessionId` only. */
    epoch?: number
    messageId?: string
    limit: number
  }): Promise<JournalRecord[]>
  lastJournalId(): Promise<number>
  /** Called after every commit that added journal lines, with the last id; cheap, synchronous, must not throw. */
  onJournal(listener: (lastId: number) => void): () => void

  /** Refuses further work, finishes what was begun and closes. Idempotent. */
  close(): Promise<void>
}

/** The part of a store that changes nothing: all that commands which only look may open. */
export type StoreReader = Pick<
  Store,
  | 'installId'
  | 'getSession'
  | 'getSessionSummary'
  | 'listSessions'
  | 'getMessage'
  | 'getMessages'
  | 'listMessages'
  | 'listReplies'
  | 'listRepliesAfter'
  | 'getReplies'
  | 'getRun'
  | 'listRuns'
  | 'getSessionState'
  | 'listWaiting'
  | 'listLiveRuns'
  | 'nextDueAtMs'
  | 'readFacts'
  | 'oldestDueAtMs'
  | 'listAccounts'
  | 'getAccount'
  | 'getSeries'
  | 'listSeries'
  | 'nextSeriesAtMs'
  | 'listLedger'
  | 'readLedgerSums'
  | 'listOpenRequests'
  | 'listAnswers'
  | 'listDueDeliveries'
  | 'nextDeliveryAtMs'
  | 'getDeadDelivery'
  | 'isDiskLow'
  | 'listUnarchived'
  | 'isSettled'
  | 'listDead'
  | 'readActiveReferences'
  | 'refreshActiveReferences'
  | 'countPrunableRows'
  | 'readJournal'
  | 'listJournal'
  | 'lastJournalId'
  | 'close'
>
