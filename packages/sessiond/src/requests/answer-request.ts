import type { ScheduleRequest, SeriesDetail } from '../api.ts'
import { SessiondError } from '../model/errors.ts'
import type { AgentRequest, RequestAnswer } from '../model/request.ts'
import type { Series } from '../model/series.ts'
import { isBelowFloor } from '../operations/below-floor.ts'
import { makeSeries, pauseSeries, type SeriesDeps, type SeriesOperations } from '../operations/series-operations.ts'
import { type ParsedRequest, parseRequest } from './parse-request.ts'
import { tellSeries, tellSeriesList } from './tell-series.ts'

export interface AnswerDeps extends SeriesDeps {
  readonly operations: Pick<SeriesOperations, 'showSeries' | 'updateSeries' | 'resumeSeries' | 'cancelSeries'>
}

/** Tasks a session may have open before its agent may make no more. */
const MAX_OPEN_TASKS = 100
/** Tasks told of in one answer. */
const LISTED = 50

type OnTask = Exclude<ParsedRequest, { readonly action: 'schedule_task' | 'list_tasks' }>

/**
 * Does what an agent asks and says what came of it. May be called again for the same request, after a crash: what it
 * has done already it does not do twice. Throws only what has nothing to do with the request: the store's own trouble.
 */
export async function answerRequest(deps: AnswerDeps, request: AgentRequest): Promise<RequestAnswer> {
  const parsed = parseRequest(request.content)
  if ('problem' in parsed) return refused(parsed.problem)
  try {
    return { status: 'ok', text: await carryOut(deps, request, parsed) }
  } catch (error) {
    if (!(error instanceof SessiondError)) throw error
    // That there is no room for something new must not keep the requests behind it waiting.
    if (!isBelowFloor(error) && (error.retryable || error.code.startsWith('STORE_'))) throw error
    return refused(error.message)
  }
}

function carryOut(deps: AnswerDeps, request: AgentRequest, parsed: ParsedRequest): Promise<string> {
  switch (parsed.action) {
    case 'schedule_task':
      return schedule(deps, request, parsed)
    case 'list_tasks':
      return list(deps, request, parsed)
    default:
      return onTask(deps, request, parsed)
  }
}

async function schedule(
  deps: AnswerDeps,
  { ordinal, sessionId }: AgentRequest,
  { action: _, ...changes }: ParsedRequest & { readonly action: 'schedule_task' },
): Promise<string> {
  const { store, operations } = deps
  const id = `t-r${ordinal}`
  const standing = await store.getSeries(id)
  if (standing !== null) return tell(deps, await operations.showSeries(id))
  const open = await store.listSeries({ sessionId, states: ['active', 'paused', 'parked'], limit: MAX_OPEN_TASKS })
  if (open.length === MAX_OPEN_TASKS) {
    throw new SessiondError('SCHEDULE_INVALID', `This session has ${MAX_OPEN_TASKS} tasks already.`, {
      cure: 'Cancel some that are no longer needed, then schedule again.',
    })
  }
  const [group = '', session = ''] = sessionId.split('/')
  const request: ScheduleRequest = { ...withoutUndefined(changes), group, session, id }
  return tell(deps, await makeSeries(deps, request, sessionId))
}

async function list(
  { store, world }: AnswerDeps,
  { sessionId }: AgentRequest,
  { state, after }: ParsedRequest & { readonly action: 'list_tasks' },
): Promise<string> {
  const states = state === undefined ? (['active', 'paused', 'parked'] as const) : [state]
  const page = { sessionId, states, limit: LISTED + 1, ...(after === undefined ? {} : { after }) }
  const series = await store.listSeries(page)
  return tellSeriesList(series.slice(0, LISTED), series.length > LISTED, world.now())
}

async function onTask(deps: AnswerDeps, request: AgentRequest, parsed: OnTask): Promise<string> {
  const { operations } = deps
  const series = await ownSeries(deps, request, parsed.task)
  const isAlready = series.state === STATE_AFTER[parsed.action]
  switch (parsed.action) {
    case 'update_task': {
      const { action: _, task: __, ...changes } = parsed
      return tell(deps, await operations.updateSeries(series.id, withoutUndefined(changes)))
    }
    case 'pause_task':
      if (!isAlready) await pauseSeries(deps, series.id, 'its agent paused it')
      return `Task ${series.id} is paused. What comes due until it is resumed is skipped.`
    case 'resume_task':
      if (!isAlready) await operations.resumeSeries(series.id)
      return tell(deps, await operations.showSeries(series.id))
    case 'cancel_task':
      if (!isAlready) await operations.cancelSeries(series.id)
      return `Task ${series.id} is cancelled and never runs again.`
  }
}

/** A request done over after a crash finds its work done. */
const STATE_AFTER = { update_task: null, pause_task: 'paused', resume_task: 'active', cancel_task: 'ended' } as const

/** G8: an agent reaches the tasks of its own session only, and is not told whether there are others. */
async function ownSeries({ store }: AnswerDeps, { sessionId }: AgentRequest, task: string): Promise<Series> {
  const series = await store.getSeries(task)
  if (series !== null && series.sessionId === sessionId) return series
  throw new SessiondError('SERIES_NOT_FOUND', `There is no task ${JSON.stringify(task)} in this session.`, {
    cure: 'list_tasks shows those there are.',
  })
}

function tell({ world }: AnswerDeps, detail: SeriesDetail): string {
  return tellSeries(detail, world.now())
}

function refused(text: string): RequestAnswer {
  return { status: 'refused', text }
}

/** zod says undefined where nothing was given; the calls want nothing there. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(kept) as { [K in keyof T]: Exclude<T[K], undefined> }
}
