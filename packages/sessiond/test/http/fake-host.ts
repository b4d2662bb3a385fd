import type {
  EventQuery,
  Explanation,
  Health,
  HostApi,
  HostEvent,
  PlannedRemovals,
  Pruning,
  PruningPlan,
  PruningRequest,
  ScheduleChanges,
  SchedulePreview,
  ScheduleRequest,
  SendRequest,
  SeriesDetail,
  SessionDetail,
  SweepReport,
  WhyQuery,
} from '../../src/api.ts'
import type { LedgerCheck } from '../../src/decide/check-ledger.ts'
import { DEFAULT_PLAN } from '../../src/decide/parse-schedule.ts'
import type { BlackBox } from '../../src/model/black-box.ts'
import { SessiondError } from '../../src/model/errors.ts'
import type { JournalType } from '../../src/model/journal.ts'
import type { Message, SendReceipt } from '../../src/model/message.ts'
import type { Delivery, Reply } from '../../src/model/reply.ts'
import type { Run } from '../../src/model/run.ts'
import type { LedgerLine, Series } from '../../src/model/series.ts'
import type { Session, SessionSummary } from '../../src/model/session.ts'
import type { DeadLetter } from '../../src/store/store.ts'
import { PLANNED_REMOVALS, PRUNED, PRUNING, PRUNING_PLAN } from './fake-pruning.ts'

const NOWHERE = { platformId: null, channelType: null, threadId: null }

export const SERIES: Series = {
  id: 't-1',
  sessionId: 'ops/main',
  group: 'ops',
  plan: {
    ...DEFAULT_PLAN,
    schedule: { kind: 'cron', expression: '0 9 * * *', seconds: false, gap: 'after', repeated: 'first' },
  },
  kind: 'task',
  content: '{"text":"water the plants"}',
  address: NOWHERE,
  sourceSessionId: null,
  state: 'active',
  because: null,
  createdAtMs: 1,
  homeZone: 'UTC',
  zone: 'UTC',
  nextAtMs: Date.UTC(2030, 0, 1, 9),
  accountedToMs: 1,
  liveUntilMs: 0,
  catchUpToMs: 0,
  heldUntilMs: 0,
  heldFor: null,
  failuresInARow: 0,
  firings: 3,
  liveMessageId: null,
}
const PREVIEW: SchedulePreview = {
  timeZone: 'UTC',
  firings: [{ atMs: Date.UTC(2030, 0, 1, 9), local: 'Tue 2030-01-01 09:00:00 +00:00', note: '' }],
}
const DETAIL: SeriesDetail = { ...PREVIEW, series: SERIES }
const LEDGER_LINE: LedgerLine = {
  seriesId: 't-1',
  ordinal: 1,
  origin: 'schedule',
  firstDueAtMs: 1,
  lastDueAtMs: 1,
  count: 1,
  outcome: 'ran',
  because: 'completed',
  messageId: 't-1.1',
  endedAtMs: 2,
}
const LEDGER_CHECK: LedgerCheck = {
  due: 1,
  told: 1,
  live: 0,
  ran: 1,
  merged: 0,
  skipped: 0,
  expired: 0,
  runNow: 0,
  balances: true,
}

/** A host in memory that knows just enough to be asked everything HostApi asks. */
export class FakeHost implements HostApi {
  readonly messages = new Map<string, Message>()
  readonly journal: HostEvent[] = []
  readonly calls: { readonly method: string; readonly args: readonly unknown[] }[] = []
  /** Event streams open now. */
  readers = 0
  /** Thrown by the next call, whichever it is. */
  nextError: unknown
  healthy = true
  #wake: (() => void)[] = []

  async send(request: SendRequest): Promise<SendReceipt> {
    this.#called('send', request)
    const id = request.id ?? `m${this.messages.size + 1}`
    const known = this.messages.get(id)
    const message = known ?? messageOf(id, request, this.messages.size + 1)
    if (request.group === 'unknown') {
      throw new SessiondError('GROUP_UNKNOWN', 'There is no group unknown.', { fields: { group: 'unknown' } })
    }
    this.messages.set(id, message)
    return {
      messageId: id,
      sessionId: message.sessionId,
      seq: message.seq,
      processAfterMs: message.processAfterMs,
      duplicate: known !== undefined,
    }
  }

  async sendMany(requests: readonly SendRequest[]): Promise<(SendReceipt | Error)[]> {
    this.#called('sendMany', requests)
    return Promise.all(requests.map((request) => this.send(request).catch((error: Error) => error)))
  }

  async listSessions(query: { group?: string; after?: string; limit?: number }): Promise<SessionSummary[]> {
    this.#called('listSessions', query)
    return [SUMMARY]
  }

  async showSession(sessionId: string, limit?: number): Promise<SessionDetail> {
    this.#called('showSession', sessionId, limit)
    if (sessionId !== SUMMARY.id) throw new SessiondError('SESSION_NOT_FOUND', `There is no session ${sessionId}.`)
    return {
      session: SESSION,
      summary: SUMMARY,
      run: RUN,
      next: { action: 'leave', because: 'working' },
      messages: [...this.messages.values()],
      replies: [REPLY],
    }
  }

  async previewSchedule(request: ScheduleRequest): Promise<SchedulePreview> {
    this.#called('previewSchedule', request)
    return PREVIEW
  }

  async schedule(request: ScheduleRequest): Promise<SeriesDetail> {
    this.#called('schedule', request)
    return DETAIL
  }

  async listSeries(query: Parameters<HostApi['listSeries']>[0]): Promise<Series[]> {
    this.#called('listSeries', query)
    return [SERIES]
  }

  async showSeries(id: string): Promise<SeriesDetail> {
    this.#called('showSeries', id)
    if (id !== SERIES.id) throw new SessiondError('SERIES_NOT_FOUND', `There is no task ${id}.`)
    return DETAIL
  }

  async updateSeries(id: string, changes: ScheduleChanges): Promise<SeriesDetail> {
    this.#called('updateSeries', id, changes)
    return DETAIL
  }

  async pauseSeries(id: string): Promise<SeriesDetail> {
    this.#called('pauseSeries', id)
    return DETAIL
  }

  async resumeSeries(id: string): Promise<SeriesDetail> {
    this.#called('resumeSeries', id)
    return DETAIL
  }

  async runSeriesNow(id: string): Promise<{ messageId: string }> {
    this.#called('runSeriesNow', id)
    return { messageId: `${id}.1` }
  }

  async cancelSeries(id: string): Promise<void> {
    this.#called('cancelSeries', id)
  }

  async listLedger(query: Parameters<HostApi['listLedger']>[0]): Promise<LedgerLine[]> {
    this.#called('listLedger', query)
    return [LEDGER_LINE]
  }

  async checkLedger(seriesId: string): Promise<LedgerCheck> {
    this.#called('checkLedger', seriesId)
    return LEDGER_CHECK
  }

  async setTimeZone(sessionId: string, timeZone: string | null): Promise<void> {
    this.#called('setTimeZone', sessionId, timeZone)
  }

  async listMessages(query: Parameters<HostApi['listMessages']>[0]): Promise<Message[]> {
    this.#called('listMessages', query)
    return [...this.messages.values()]
  }

  async showMessage(messageId: string, limit?: number): Promise<{ message: Message; replies: Reply[] }> {
    this.#called('showMessage', messageId, limit)
    const message = this.messages.get(messageId)
    if (message === undefined) throw new SessiondError('MESSAGE_NOT_FOUND', `There is no message ${messageId}.`)
    return { message, replies: [REPLY] }
  }

  async listReplies(query: Parameters<HostApi['listReplies']>[0]): Promise<Reply[]> {
    this.#called('listReplies', query)
    return [REPLY]
  }

  async cancelMessage(messageId: string): Promise<'cancelled' | 'requested'> {
    this.#called('cancelMessage', messageId)
    return messageId === 'claimed' ? 'requested' : 'cancelled'
  }

  async stopSession(sessionId: string): Promise<{ cancelled: number; runStopped: boolean }> {
    this.#called('stopSession', sessionId)
    return { cancelled: 1, runStopped: true }
  }

  async closeSession(sessionId: string): Promise<'closed' | 'already-closed'> {
    this.#called('closeSession', sessionId)
    return 'closed'
  }

  async listRuns(sessionId: string, limit?: number): Promise<Run[]> {
    this.#called('listRuns', sessionId, limit)
    return [RUN]
  }

  async readRunLog(sessionId: string, epoch: number | undefined, maxBytes?: number) {
    this.#called('readRunLog', sessionId, epoch, maxBytes)
    return { epoch: epoch ?? 7, text: 'last words\n' }
  }

  async why(query: WhyQuery): Promise<Explanation> {
    this.#called('why', query)
    return {
      sentences: ['Run 7 of g/main (process) was started.'],
      run: RUN,
      box: BOX,
    }
  }

  async listDead(query: { sessionId?: string; limit?: number }): Promise<DeadLetter[]> {
    this.#called('listDead', query)
    return DEAD
  }

  async showDead(id: string): Promise<DeadLetter> {
    this.#called('showDead', id)
    const dead = DEAD[id.startsWith('delivery:') ? 1 : 0]
    if (dead === undefined) throw new SessiondError('MESSAGE_NOT_FOUND', `There is no message ${id}.`)
    return dead
  }

  async replayDead(id: string): Promise<void> {
    this.#called('replayDead', id)
  }

  async dropDead(id: string): Promise<void> {
    this.#called('dropDead', id)
  }

  /** Journals an event and hands it to every open stream. */
  emit(type: JournalType, sessionId: string, extra: { reply?: Reply; detail?: Record<string, unknown> } = {}): void {
    const id = this.journal.length + 1
    const { reply, detail = {} } = extra
    this.journal.push({
      id,
      type,
      atMs: 1_900_000_000_000,
      sessionId,
      epoch: 7,
      messageId: null,
      detail,
      ...(reply === undefined ? {} : { reply }),
    })
    for (const wake of this.#wake.splice(0)) wake()
  }

  async *events({ afterId, sessionId, signal }: EventQuery): AsyncIterable<HostEvent> {
    this.#called('events', afterId, sessionId)
    this.readers += 1
    try {
      for (let next = afterId ?? this.journal.length; signal?.aborted !== true; ) {
        const event = this.journal[next]
        if (event === undefined) {
          await this.#somethingNew(signal)
          continue
        }
        next += 1
        if (sessionId === undefined || event.sessionId === sessionId) yield event
      }
    } finally {
      this.readers -= 1
    }
  }

  async lastEventId(): Promise<number> {
    this.#called('lastEventId')
    return this.journal.length
  }

  async sweepOnce(options: { dryRun: boolean }): Promise<SweepReport> {
    this.#called('sweepOnce', options)
    const line = { sessionId: SUMMARY.id, epoch: 7, action: 'leave', because: 'busy', evidence: { ageMs: 1 } }
    return { startedAtMs: 1, tookMs: 2, dryRun: options.dryRun, lines: [{ ...line, outcome: null }] }
  }

  async planPruning(request: PruningRequest): Promise<PruningPlan> {
    this.#called('planPruning', request)
    return PRUNING_PLAN
  }

  async listPlannedRemovals(query: Parameters<HostApi['listPlannedRemovals']>[0]): Promise<PlannedRemovals> {
    this.#called('listPlannedRemovals', query)
    const { after = 0, limit = 1 } = query
    const removals = PLANNED_REMOVALS.slice(after, after + limit)
    const next = after + removals.length
    return { removals, next: next < PLANNED_REMOVALS.length ? next : null }
  }

  async startPruning(request: Parameters<HostApi['startPruning']>[0]): Promise<Pruning> {
    this.#called('startPruning', request)
    if (request.planId !== PRUNING_PLAN.id) throw new SessiondError('NOT_FOUND', `There is no plan ${request.planId}.`)
    return PRUNING
  }

  async readPruning(id: string): Promise<Pruning> {
    this.#called('readPruning', id)
    return PRUNED
  }

  async health(): Promise<Health> {
    this.#called('health')
    return {
      ok: this.healthy,
      version: '0.0.0',
      installId: 'i1',
      pid: 1,
      startedAtMs: 1,
      lastSweepAgeMs: null,
      oldestDueAgeMs: null,
      liveRuns: 0,
      maxRuns: 4,
      problems: this.healthy ? [] : ['the sweep is late'],
      accounts: [],
    }
  }

  #called(method: string, ...args: unknown[]): void {
    this.calls.push({ method, args })
    const error = this.nextError
    this.nextError = undefined
    if (error !== undefined) throw error
  }

  #somethingNew(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.push(resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}

/** A message as the fake store would keep it. */
function messageOf(id: string, request: SendRequest, index: number): Message {
  return {
    id,
    sessionId: `${request.group}/${request.session ?? 'main'}`,
    group: request.group,
    kind: request.kind ?? 'chat',
    content: JSON.stringify({ text: request.text }),
    processAfterMs: 1,
    trigger: request.context !== true,
    onWake: false,
    address: NOWHERE,
    sourceSessionId: null,
    seriesId: null,
    seq: index * 2,
    status: 'pending',
    createdAtMs: 1,
    tries: 0,
    attempt: 0,
    projectedEpoch: null,
    claimEpoch: null,
    claimedAtMs: null,
    cancelRequestedAtMs: null,
    endedAtMs: null,
    failure: null,
    error: null,
    answered: false,
    deadLetter: false,
    isSuspect: false,
    troubles: null,
  }
}

const SESSION: Session = {
  id: 'ops/main',
  group: 'ops',
  name: 'main',
  status: 'open',
  timeZone: null,
  createdAtMs: 1,
  closedAtMs: null,
  archivedAtMs: null,
  epoch: 7,
  spawnFailures: 0,
  spawnNotBeforeMs: 0,
  lastSpawnError: null,
}

const SUMMARY: SessionSummary = {
  ...SESSION,
  runState: 'running',
  pending: 1,
  claimed: 0,
  deadLetters: 0,
  nextDueAtMs: null,
}

const RUN: Run = {
  sessionId: 'ops/main',
  group: 'ops',
  epoch: 7,
  name: 'run-7',
  runtime: 'process',
  state: 'gone',
  handle: { runtime: 'process', id: '1:2' },
  intendedAtMs: 1,
  startedAtMs: 2,
  firstClaimAtMs: null,
  lastActiveAtMs: 3,
  stopIntendedAtMs: null,
  killSentAtMs: null,
  end: 'idle',
  endEvidence: { idleForMs: 60_000, because: ['nothing due'] },
  exit: { code: 0, signal: null, oomKilled: false },
  endedAtMs: 4,
  takenSeq: 1,
}

/** A reply as it stands in the store. */
export const REPLY: Reply = {
  id: 'r1',
  sessionId: 'ops/main',
  group: 'ops',
  epoch: 7,
  seq: 1,
  inReplyTo: 'm1',
  kind: 'chat',
  content: '{"text":"done"}',
  createdAtMs: 1_900_000_000_000,
  deliverAfterMs: 1_900_000_000_000,
  address: { platformId: 'C1', channelType: 'slack', threadId: null },
}

const DELIVERY: Delivery = {
  id: 5,
  replyId: 'r1',
  sessionId: 'ops/main',
  sink: 'hook',
  status: 'failed',
  attempts: 1,
  nextAttemptAtMs: 1,
  lastError: 'HTTP 400',
  platformMessageId: null,
  endedAtMs: 2,
}

const DEAD: DeadLetter[] = [
  {
    kind: 'message',
    message: {
      ...messageOf('m1', { group: 'ops', text: 'hi' }, 1),
      status: 'failed',
      failure: 'TRIES_EXHAUSTED',
      deadLetter: true,
    },
  },
  { kind: 'delivery', delivery: DELIVERY, reply: REPLY },
]

const BOX: BlackBox = {
  takenAtMs: 1_900_000_000_000,
  processes: [{ pid: 7, name: 'sh', state: 'S', cpuMs: 20, memoryBytes: null }],
  activity: { cpuMs: 20, ioBytes: 0, processes: 1 },
  output: 'first\nsecond\n',
  clocks: {
    seen: 'running',
    watchedForMs: 60_000,
    beatAgeMs: 46_000,
    progressAgeMs: null,
    activityAgeMs: null,
    claims: [{ messageId: 'm1', ageMs: 50_000 }],
    tools: [{ name: 'Bash', ageMs: 1, timeoutMs: null, expectedMs: null, isBackground: false }],
    wait: { reason: 'request', ageMs: 1, forMs: null, pingAgeMs: null },
    tries: 0,
    unheededForMs: null,
    idleForMs: null,
  },
  disk: null,
}
