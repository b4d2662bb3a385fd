import type { LedgerCheck } from './decide/check-ledger.ts'
import type { Account } from './model/account.ts'
import type { PlannedRemoval } from './model/artifact.ts'
import type { BlackBox } from './model/black-box.ts'
import type { JournalRecord } from './model/journal.ts'
import type { Message, MessageStatus, SendReceipt } from './model/message.ts'
import type { Reply } from './model/reply.ts'
import type { Run } from './model/run.ts'
import type { LedgerLine, MissedPolicy, Overlap, Series, SeriesState, ZoneChange } from './model/series.ts'
import type { Session, SessionSummary } from './model/session.ts'
import type { HouseOutcome, HouseProgress } from './prune/apply-house.ts'
import type { PlanSummary, RemovalSum } from './prune/summarise-plan.ts'
import type { DeadLetter, PrunedRows } from './store/store.ts'

/** What a sender may say of a message. Everything is checked at once; the first wrong field is named in the error. */
export interface SendRequest {
  readonly group: string
  /** Session name within the group. @default 'main' */
  readonly session?: string
  readonly text: string
  /** Makes the send idempotent: the same id again returns the first receipt. @default a new id */
  readonly id?: string
  readonly kind?: 'chat' | 'task' | 'system'
  /** When it becomes due: an instant with its zone, or a span such as `10m`. @default at once */
  readonly after?: string
  /** True: context only; wakes nobody and is handed over with the next message that does. @default false */
  readonly context?: boolean
  readonly platformId?: string
  readonly channelType?: string
  readonly threadId?: string
}

/** How a series is timed and treated. Times without a zone are those of its `timeZone`, else of its session. */
export interface ScheduleChanges {
  readonly text?: string
  /** Five fields, or six with `seconds`. One of `cron`, `every`, `at` and `after` says when. */
  readonly cron?: string
  readonly seconds?: boolean
  /** An interval such as `15m`, on a grid that begins at `anchor`. @default anchor: now */
  readonly every?: string
  readonly anchor?: string
  /** Once: an instant, a local time, or words such as `tomorrow 9:00`. */
  readonly at?: string
  /** Once: so long from now, such as `2h`. */
  readonly after?: string
  /** IANA zone of its own; null: its session's. */
  readonly timeZone?: string | null
  readonly onZoneChange?: ZoneChange
  /** A local time that clocks leave out. @default 'after' */
  readonly gap?: 'after' | 'skip'
  /** A local time that comes twice. @default 'first' */
  readonly repeated?: 'first' | 'second' | 'both'
  /** @default 'skip' */
  readonly overlap?: Overlap
  /** What runs of what was missed. @default 'newest' */
  readonly missed?: MissedPolicy['run']
  /** How many, with `each`. @default 50 */
  readonly missedMax?: number
  /** For how long a missed one is useful; null: for ever. */
  readonly missedWithin?: string | null
  /** Until which local time of its day, `11:00`; null: for ever. */
  readonly missedUntil?: string | null
  readonly stagger?: string
  /** Nothing is due after it. */
  readonly end?: string | null
  readonly maxRuns?: number | null
  /** @default 8 */
  readonly backOffAfterFailures?: number | null
  /** @default 12 */
  readonly pauseAfterFailures?: number | null
}

/** A series to be made. */
export interface ScheduleRequest extends ScheduleChanges {
  readonly group: string
  /** @default 'main' */
  readonly session?: string
  readonly text: string
  /** Makes the call idempotent. @default a new id */
  readonly id?: string
  /** @default 'task' */
  readonly kind?: 'chat' | 'task' | 'system'
  readonly platformId?: string
  readonly channelType?: string
  readonly threadId?: string
}

/** A firing to come, in the words of its zone. */
export interface FiringWords {
  readonly atMs: number
  /** `Tue 2030-01-01 09:00:00 +01:00`. */
  readonly local: string
  /** What a change of the clocks makes of it; "": nothing. */
  readonly note: string
}

/** What a schedule comes to. */
export interface SchedulePreview {
  readonly timeZone: string
  /** The next ten, or as many as there are. */
  readonly firings: readonly FiringWords[]
}

/** A series with what comes of it next. */
export interface SeriesDetail extends SchedulePreview {
  readonly series: Series
}

/** A session with what is open in it: what `sessiond show` prints. */
export interface SessionDetail {
  readonly session: Session
  readonly summary: SessionSummary
  readonly run: Run | null
  /** What the host would do with it now, and why: the answer to "why does nothing happen?". */
  readonly next: { readonly action: string; readonly because: string }
  /** Newest first. */
  readonly messages: readonly Message[]
  readonly replies: readonly Reply[]
}

/** A journal line as subscribers get it; `reply` is there on `reply:written`. */
export interface HostEvent extends JournalRecord {
  readonly reply?: Reply
}

export interface EventQuery {
  /** Resume after this journal id; absent: from now on. */
  readonly afterId?: number
  readonly sessionId?: string
  readonly signal?: AbortSignal
}

/** Whom a question is about: a message, a run, or a session's newest run. */
export type WhyQuery = { readonly messageId: string } | { readonly sessionId: string; readonly epoch?: number }

/** The answer to "why?": what was decided, on what evidence, what became of whom, and what comes next. */
export interface Explanation {
  /** In plain words, one after the other, a line each; what a run said is quoted. Its last words are `box.output`. */
  readonly sentences: readonly string[]
  /** The run it is about; null: there has been none. */
  readonly run: Run | null
  /** What was kept of it when it was judged stuck; null: it was not, or nothing could be kept. */
  readonly box: BlackBox | null
}

/** One decision of a sweep with the evidence it was made on. */
export interface SweepLine {
  readonly sessionId: string
  readonly epoch: number | null
  readonly action: string
  readonly because: string
  readonly evidence: Readonly<Record<string, unknown>>
  /** What came of it; null in a dry run. */
  readonly outcome: string | null
}

export interface SweepReport {
  readonly startedAtMs: number
  readonly tookMs: number
  readonly dryRun: boolean
  readonly lines: readonly SweepLine[]
}

/** What a pruning looks at; what is left out is not narrowed. */
export interface PruningRequest {
  /** Classes of files, of rows, `closedSessions` and `trash`. */
  readonly classes?: readonly string[]
  readonly group?: string
}

/** What one pruning would do, and why. Carried out by its id; nothing else is removed by that. */
export interface PruningPlan extends PlanSummary {
  readonly id: string
  /** Rows whose time is over, counted up to 100,000 a class, and for ten seconds. */
  readonly rows: PrunedRows
  /** False: there may be more of them. */
  readonly areRowsWhole: boolean
  /** Sessions closed long enough to be packed away, counted alike; null: they are not asked for. */
  readonly closedSessions: number | null
  /** What was put aside before and has lain long enough. */
  readonly trash: RemovalSum
}

/** One file or folder that a plan removes. */
export type PlannedRemovalLine = Pick<
  PlannedRemoval,
  'className' | 'path' | 'isFolder' | 'bytes' | 'files' | 'group' | 'session' | 'epoch' | 'ids' | 'reason'
> & {
  /** Absolute; `path` is below it. */
  readonly root: string
}

export interface PlannedRemovals {
  readonly removals: readonly PlannedRemovalLine[]
  /** The next page's `after`; null: this was the last. */
  readonly next: number | null
}

/** How the carrying out of a plan gets on; its id is the plan's. */
export interface Pruning {
  readonly id: string
  /** `failed`: something went wrong; what `progress` tells is done all the same. */
  readonly state: 'running' | 'finished' | 'failed'
  readonly progress: HouseProgress
  readonly error: { readonly code: string; readonly message: string } | null
  /** Null while it runs, and when it could not begin. */
  readonly outcome: Pick<HouseOutcome, 'stoppedAt' | 'isMore' | 'trashFolder'> | null
}

export interface Health {
  readonly ok: boolean
  readonly version: string
  readonly installId: string
  readonly pid: number
  readonly startedAtMs: number
  /** Null before the first sweep. */
  readonly lastSweepAgeMs: number | null
  /** Age of the oldest message that is due, unclaimed and in a session that could run: its account is open. Null: none. */
  readonly oldestDueAgeMs: number | null
  readonly liveRuns: number
  readonly maxRuns: number
  readonly problems: readonly string[]
  /** Accounts whose provider is in trouble: their sessions wait. That is no problem of the host's. */
  readonly accounts: readonly Pick<Account, 'name' | 'state' | 'reason' | 'parkedUntilMs' | 'allowed' | 'troubles'>[]
}

/**
 * What can be asked of a running host: the library's face, and all that HTTP and so the CLI stand on. Throws
 * SessiondErrors. Ids of sessions are `<group>/<name>`.
 */
export interface HostApi {
  /** Resolves once the message is durable. */
  send(request: SendRequest): Promise<SendReceipt>
  /** One outcome per request, in order; one bad request harms no other. */
  sendMany(requests: readonly SendRequest[]): Promise<(SendReceipt | Error)[]>
  listSessions(query: { group?: string; after?: string; limit?: number }): Promise<SessionSummary[]>
  /** SESSION_NOT_FOUND. */
  showSession(sessionId: string, limit?: number): Promise<SessionDetail>
  listMessages(query: {
    sessionId: string
    statuses?: readonly MessageStatus[]
    beforeSeq?: number
    limit?: number
  }): Promise<Message[]>
  /** MESSAGE_NOT_FOUND. With the newest replies to it. */
  showMessage(messageId: string, limit?: number): Promise<{ message: Message; replies: Reply[] }>
  /**
   * Replies to a message, oldest first: all of them, page by page, with each page's last id as the next one's `after`,
   * until a page is empty. MESSAGE_NOT_FOUND; BAD_REQUEST when `after` is no reply to it.
   */
  listReplies(query: { messageId: string; after?: string; limit?: number }): Promise<Reply[]>
  /** `requested`: its run is being told; the message ends when the run has let go. MESSAGE_NOT_FOUND, MESSAGE_NOT_OPEN. */
  cancelMessage(messageId: string): Promise<'cancelled' | 'requested'>
  /** Ends what the agent is doing: claimed messages end CANCELLED, its run stops; later messages wake a new run. */
  stopSession(sessionId: string): Promise<{ cancelled: number; runStopped: boolean }>
  closeSession(sessionId: string): Promise<'closed' | 'already-closed'>
  listRuns(sessionId: string, limit?: number): Promise<Run[]>
  /** Tail of a run's output; epoch absent: the newest run. RUN_NOT_FOUND, SESSION_ARCHIVED. */
  readRunLog(sessionId: string, epoch: number | undefined, maxBytes?: number): Promise<{ epoch: number; text: string }>
  listDead(query: { sessionId?: string; limit?: number }): Promise<DeadLetter[]>
  /** Says why. SESSION_NOT_FOUND, MESSAGE_NOT_FOUND, RUN_NOT_FOUND. */
  why(query: WhyQuery): Promise<Explanation>
  /** `id`: a message's, or `delivery:<n>`. MESSAGE_NOT_FOUND, MESSAGE_NOT_DEAD, SESSION_CLOSED. */
  showDead(id: string): Promise<DeadLetter>
  replayDead(id: string): Promise<void>
  dropDead(id: string): Promise<void>
  /** What a schedule would come to; stores nothing. Throws what `schedule` would. */
  previewSchedule(request: ScheduleRequest): Promise<SchedulePreview>
  /** Resolves once the series is durable and armed. SCHEDULE_INVALID, ZONE_INVALID, TIME_*, SERIES_ID_CONFLICT. */
  schedule(request: ScheduleRequest): Promise<SeriesDetail>
  /** In order of id. */
  listSeries(query: {
    sessionId?: string
    states?: readonly SeriesState[]
    after?: string
    limit?: number
  }): Promise<Series[]>
  /** `id`: a series' or an occurrence's. All of these throw SERIES_NOT_FOUND, and those that change it SERIES_NOT_OPEN. */
  showSeries(id: string): Promise<SeriesDetail>
  updateSeries(id: string, changes: ScheduleChanges): Promise<SeriesDetail>
  pauseSeries(id: string): Promise<SeriesDetail>
  /** What came due while it was paused is skipped. */
  resumeSeries(id: string): Promise<SeriesDetail>
  /** An occurrence beside the schedule, which does not move. SERIES_LIVE. */
  runSeriesNow(id: string): Promise<{ messageId: string }>
  /** Of a series: ends it, and what is live of it. Of an occurrence: that one alone. */
  cancelSeries(id: string): Promise<void>
  /** Newest first. */
  listLedger(query: { seriesId: string; beforeOrdinal?: number; limit?: number }): Promise<LedgerLine[]>
  /** Counts the due instants anew and holds the ledger against them. */
  checkLedger(seriesId: string): Promise<LedgerCheck>
  /** Where its user is; null: where its group is. SESSION_NOT_FOUND, ZONE_INVALID. */
  setTimeZone(sessionId: string, timeZone: string | null): Promise<void>
  /** Every event after `afterId`, then live ones, until the signal aborts or the host stops. */
  events(query: EventQuery): AsyncIterable<HostEvent>
  /** Newest journal id: where "from now on" begins. */
  lastEventId(): Promise<number>
  sweepOnce(options: { dryRun: boolean }): Promise<SweepReport>
  /** Decides what a pruning would do; changes nothing. BAD_REQUEST, REFERENCES_UNREADABLE, REFERENCES_IMPLAUSIBLE. */
  planPruning(request: PruningRequest): Promise<PruningPlan>
  /** Removals of a plan, page by page. NOT_FOUND. */
  listPlannedRemovals(query: { planId: string; after?: number; limit?: number }): Promise<PlannedRemovals>
  /**
   * Begins to carry a plan out, each entry checked again before it goes; `trash`: what goes is put aside. A plan is kept
   * for 15 minutes and used up by this. NOT_FOUND.
   */
  startPruning(request: { planId: string; trash?: boolean }): Promise<Pruning>
  /** NOT_FOUND. */
  readPruning(id: string): Promise<Pruning>
  health(): Promise<Health>
}
