import type {
  Explanation,
  Health,
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
} from '../api.ts'
import type { LedgerCheck } from '../decide/check-ledger.ts'
import { ERROR_CATALOGUE, type ErrorCode, type ErrorFields, SessiondError } from '../model/errors.ts'
import type { Message, SendReceipt } from '../model/message.ts'
import type { Reply } from '../model/reply.ts'
import type { Run } from '../model/run.ts'
import type { LedgerLine, Series, SeriesState } from '../model/series.ts'
import type { SessionSummary } from '../model/session.ts'
import type { DeadLetter } from '../store/store.ts'
import type { SessionArgument } from './session-argument.ts'

export interface HostAddress {
  readonly url: string
  readonly token: string
}

type Query = Readonly<Record<string, string | number | undefined>>

/** Longest wait for the answer to one request; a sweep of many sessions takes its time. */
const REQUEST_TIMEOUT_MS = 60_000
/** A plan goes through every folder there is, after any plan that is being made. */
const PLAN_TIMEOUT_MS = 4 * 60_000

/**
 * A running host, asked over HTTP. Throws the host's own SessiondErrors, HOST_NOT_RUNNING when nobody listens, and
 * HOST_UNRESPONSIVE when no proper answer comes.
 */
export class HostClient {
  readonly #address: HostAddress

  constructor(address: HostAddress) {
    this.#address = address
  }

  get url(): string {
    return this.#address.url
  }

  send({ group, session = 'main', ...body }: SendRequest): Promise<SendReceipt> {
    return this.#ask('POST', `/v1/sessions/${group}/${session}/messages`, {}, body)
  }

  async listSessions(query: { group?: string; after?: string; limit?: number }): Promise<SessionSummary[]> {
    return (await this.#ask<{ sessions: SessionSummary[] }>('GET', '/v1/sessions', query)).sessions
  }

  showSession({ id }: SessionArgument, limit?: number): Promise<SessionDetail> {
    return this.#ask('GET', `/v1/sessions/${id}`, { limit })
  }

  /** Without its replies, which are listed apart. */
  async showMessage(id: string): Promise<Message> {
    return (await this.#ask<{ message: Message }>('GET', `/v1/messages/${id}`, { limit: 1 })).message
  }

  async listReplies(id: string, after: string | undefined): Promise<Reply[]> {
    return (await this.#ask<{ replies: Reply[] }>('GET', `/v1/messages/${id}/replies`, { after })).replies
  }

  cancelMessage(id: string): Promise<{ outcome: 'cancelled' | 'requested' }> {
    return this.#ask('POST', `/v1/messages/${id}/cancel`)
  }

  stopSession({ id }: SessionArgument): Promise<{ cancelled: number; runStopped: boolean }> {
    return this.#ask('POST', `/v1/sessions/${id}/stop`)
  }

  closeSession({ id }: SessionArgument): Promise<{ outcome: 'closed' | 'already-closed' }> {
    return this.#ask('POST', `/v1/sessions/${id}/close`)
  }

  async listRuns({ id }: SessionArgument, limit?: number): Promise<Run[]> {
    return (await this.#ask<{ runs: Run[] }>('GET', `/v1/sessions/${id}/runs`, { limit })).runs
  }

  readRunLog({ id }: SessionArgument, epoch: number | 'latest'): Promise<{ epoch: number; text: string }> {
    return this.#ask('GET', `/v1/sessions/${id}/runs/${epoch}/log`)
  }

  previewSchedule({ group, session = 'main', ...body }: ScheduleRequest): Promise<SchedulePreview> {
    return this.#ask('POST', `/v1/sessions/${group}/${session}/series/preview`, {}, body)
  }

  schedule({ group, session = 'main', ...body }: ScheduleRequest): Promise<SeriesDetail> {
    return this.#ask('POST', `/v1/sessions/${group}/${session}/series`, {}, body)
  }

  async listSeries(query: {
    session?: string
    state?: SeriesState
    after?: string
    limit?: number
  }): Promise<Series[]> {
    return (await this.#ask<{ series: Series[] }>('GET', '/v1/series', query)).series
  }

  showSeries(id: string): Promise<SeriesDetail> {
    return this.#ask('GET', `/v1/series/${id}`)
  }

  updateSeries(id: string, changes: ScheduleChanges): Promise<SeriesDetail> {
    return this.#ask('PATCH', `/v1/series/${id}`, {}, changes)
  }

  pauseSeries(id: string): Promise<SeriesDetail> {
    return this.#ask('POST', `/v1/series/${id}/pause`)
  }

  resumeSeries(id: string): Promise<SeriesDetail> {
    return this.#ask('POST', `/v1/series/${id}/resume`)
  }

  runSeriesNow(id: string): Promise<{ messageId: string }> {
    return this.#ask('POST', `/v1/series/${id}/run`)
  }

  cancelSeries(id: string): Promise<{ outcome: 'cancelled' }> {
    return this.#ask('DELETE', `/v1/series/${id}`)
  }

  async listLedger(id: string, query: { before?: number; limit?: number }): Promise<LedgerLine[]> {
    return (await this.#ask<{ lines: LedgerLine[] }>('GET', `/v1/series/${id}/ledger`, query)).lines
  }

  checkLedger(id: string): Promise<LedgerCheck> {
    return this.#ask('GET', `/v1/series/${id}/ledger/check`)
  }

  setTimeZone({ id }: SessionArgument, timeZone: string | null): Promise<{ timeZone: string | null }> {
    return this.#ask('PUT', `/v1/sessions/${id}/time-zone`, {}, { timeZone })
  }

  why(query: { message?: string; session?: string; run?: number }): Promise<Explanation> {
    return this.#ask('GET', '/v1/why', query)
  }

  async listDead(query: { session?: string; limit?: number }): Promise<DeadLetter[]> {
    return (await this.#ask<{ dead: DeadLetter[] }>('GET', '/v1/dead', query)).dead
  }

  showDead(id: string): Promise<DeadLetter> {
    return this.#ask('GET', `/v1/dead/${id}`)
  }

  replayDead(id: string): Promise<{ outcome: 'replayed' }> {
    return this.#ask('POST', `/v1/dead/${id}/replay`)
  }

  dropDead(id: string): Promise<{ outcome: 'dropped' }> {
    return this.#ask('DELETE', `/v1/dead/${id}`)
  }

  sweepOnce(dryRun: boolean): Promise<SweepReport> {
    return this.#ask('POST', '/v1/sweep', {}, { dryRun })
  }

  planPruning(request: PruningRequest): Promise<PruningPlan> {
    return this.#ask('POST', '/v1/prune/plans', {}, request, PLAN_TIMEOUT_MS)
  }

  listPlannedRemovals({
    planId,
    ...page
  }: {
    planId: string
    after?: number
    limit?: number
  }): Promise<PlannedRemovals> {
    return this.#ask('GET', `/v1/prune/plans/${planId}/removals`, page)
  }

  startPruning({ planId, trash }: { planId: string; trash: boolean }): Promise<Pruning> {
    return this.#ask('POST', `/v1/prune/plans/${planId}/apply`, {}, { trash })
  }

  readPruning(id: string): Promise<Pruning> {
    return this.#ask('GET', `/v1/prune/${id}`)
  }

  health(): Promise<Health> {
    return this.#ask('GET', '/v1/health')
  }

  /** Opens the event stream; the body is its bytes. */
  async openEvents(query: {
    session?: string
    after?: number
    lastEventId?: string
    signal: AbortSignal
  }): Promise<ReadableStream<Uint8Array>> {
    const { session, after, lastEventId, signal } = query
    const headers: Record<string, string> = { Accept: 'text/event-stream' }
    if (lastEventId !== undefined) headers['Last-Event-ID'] = lastEventId
    const response = await this.#fetch('GET', this.#at('/v1/events', { session, after }), { headers, signal })
    if (!response.ok) throw errorOf(await this.#read(response))
    if (response.body === null) throw this.#unresponsive('answers with nothing')
    return response.body
  }

  async #ask<Answer>(
    method: string,
    path: string,
    query: Query = {},
    body?: unknown,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<Answer> {
    const response = await this.#fetch(method, this.#at(path, query), {
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
    const answer = await this.#read(response)
    // Health answers 503 with itself, not with an error.
    if (response.ok || !isErrorBody(answer)) return answer as Answer
    throw errorOf(answer)
  }

  #at(path: string, query: Query): URL {
    const url = new URL(path, this.#address.url)
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, String(value))
    }
    return url
  }

  async #fetch(method: string, url: URL, init: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
    const headers = { ...init.headers, Authorization: `Bearer ${this.#address.token}` }
    try {
      // A redirect would carry the token to wherever it points.
      return await fetch(url, { ...init, method, headers, redirect: 'error' })
    } catch (cause) {
      throw this.#translate(cause)
    }
  }

  async #read(response: Response): Promise<unknown> {
    try {
      const answer: unknown = await response.json()
      if (typeof answer === 'object' && answer !== null) return answer
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw this.#translate(cause)
    }
    throw this.#unresponsive(`answers ${response.status} with something that is not sessiond's`)
  }

  #translate(cause: unknown): unknown {
    if (!(cause instanceof Error) || cause.name === 'AbortError') return cause
    if (cause.name === 'TimeoutError') return this.#unresponsive('does not answer in time', cause)
    const code = networkCodeOf(cause)
    if (!['ECONNREFUSED', 'EHOSTUNREACH', 'ENOTFOUND', 'EADDRNOTAVAIL'].includes(code)) {
      return this.#unresponsive(`broke off (${code})`, cause)
    }
    return new SessiondError('HOST_NOT_RUNNING', `No host answers at ${this.url} (${code}).`, {
      fields: { url: this.url },
      cause,
    })
  }

  #unresponsive(how: string, cause?: unknown): SessiondError {
    return new SessiondError('HOST_UNRESPONSIVE', `The host at ${this.url} ${how}.`, {
      fields: { url: this.url },
      ...(cause === undefined ? {} : { cause }),
    })
  }
}

interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly cure: string
    readonly fields?: ErrorFields
  }
}

function isErrorBody(answer: unknown): answer is ErrorBody {
  return typeof answer === 'object' && answer !== null && 'error' in answer
}

function errorOf(answer: unknown): SessiondError {
  const { code, message, cure, fields } = isErrorBody(answer)
    ? answer.error
    : { code: 'INTERNAL', message: 'The host refused without a reason.', cure: ERROR_CATALOGUE.INTERNAL.cure }
  const known: ErrorCode = Object.hasOwn(ERROR_CATALOGUE, code) ? (code as ErrorCode) : 'INTERNAL'
  // A newer host may know codes that this one does not.
  const what = known === code ? String(message) : `${String(message)} (${code})`
  return new SessiondError(known, what, { cure: String(cure), fields: fields ?? {} })
}

function networkCodeOf(error: Error): string {
  const { cause } = error
  if (cause instanceof AggregateError) return networkCodeOf(new Error('', { cause: cause.errors[0] }))
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return error.message
}
