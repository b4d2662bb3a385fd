import { setImmediate } from 'node:timers/promises'
import type { HostApi, SchedulePreview, ScheduleRequest, SeriesDetail } from '../api.ts'
import type { HostConfig } from '../config/config.ts'
import { checkLedger, type LedgerCheck } from '../decide/check-ledger.ts'
import { parseChanges, parseSchedule, type ScheduleScene } from '../decide/parse-schedule.ts'
import { compileSchedule } from '../decide/recurrence/compile-schedule.ts'
import { Zone } from '../decide/recurrence/zone.ts'
import { SessiondError } from '../model/errors.ts'
import type { Series } from '../model/series.ts'
import { sessionIdOf } from '../model/session.ts'
import type { DiskFloor } from '../observe/disk-floor.ts'
import type { SeriesChange, SeriesChanged, Store } from '../store/store.ts'
import { formatWallTime } from '../when/format-instant.ts'
import { tellDst } from '../when/tell-firing.ts'
import type { World } from '../world.ts'
import { belowFloor } from './below-floor.ts'
import { sessionNotFound } from './stop-session.ts'

export interface SeriesDeps {
  readonly config: HostConfig
  readonly world: World
  readonly store: Store
  readonly diskFloor: Pick<DiskFloor, 'look'>
  readonly isStopping: () => boolean
  readonly cancelMessage: (messageId: string) => Promise<unknown>
  /** The run of the session may hold what is cancelled. */
  readonly onCancelRequested: (sessionId: string) => void
  /** Series are due at other times than before, or have a message more. */
  readonly onChanged: () => void
}

/** How many firings to come are shown. */
const SHOWN = 10

export type SeriesOperations = Pick<
  HostApi,
  | 'previewSchedule'
  | 'schedule'
  | 'showSeries'
  | 'updateSeries'
  | 'pauseSeries'
  | 'resumeSeries'
  | 'runSeriesNow'
  | 'cancelSeries'
  | 'checkLedger'
  | 'setTimeZone'
>

/** What can be asked about recurring work. */
export function createSeriesOperations(deps: SeriesDeps): SeriesOperations {
  return {
    async previewSchedule(request) {
      const { plan, scene } = await parse(deps, request)
      return preview({ plan, zone: plan.timeZone ?? scene.sessionZone, fromMs: scene.nowMs })
    },
    schedule: (request) => makeSeries(deps, request, null),
    showSeries: async (id) => detail(deps, await find(deps, id)),
    async updateSeries(id, changes) {
      const series = await find(deps, id)
      await refuseBelowFloor(deps)
      const scene = await sceneOf(deps, series.sessionId, series.group)
      const { plan, content } = parseChanges(changes, series.plan, deps.config.limits, scene)
      return detail(deps, await changed(deps, id, { to: 'updated', plan, content }))
    },
    pauseSeries: (id) => pauseSeries(deps, id, 'a person paused it'),
    resumeSeries: async (id) => detail(deps, await changed(deps, id, { to: 'resumed' })),
    async runSeriesNow(id) {
      await refuseBelowFloor(deps)
      const { liveMessageId } = await changed(deps, id, { to: 'run-now' })
      return { messageId: liveMessageId ?? '' }
    },
    async cancelSeries(id) {
      const { id: seriesId, sessionId } = await find(deps, id)
      if (id !== seriesId) await deps.cancelMessage(id)
      else {
        await changed(deps, seriesId, { to: 'ended' })
        deps.onCancelRequested(sessionId)
      }
      deps.onChanged()
    },
    checkLedger: (seriesId) => check(deps, seriesId),
    async setTimeZone(sessionId, timeZone) {
      if (timeZone !== null && Zone.find(timeZone) === null) {
        throw new SessiondError('ZONE_INVALID', `There is no time zone ${JSON.stringify(timeZone.slice(0, 80))}.`, {
          fields: { field: 'timeZone' },
        })
      }
      if (!(await deps.store.setTimeZone(sessionId, timeZone, deps.world.now()))) throw sessionNotFound(sessionId)
      deps.onChanged()
    },
  }
}

/** Makes a series; `sourceSessionId`: the session whose agent asked for it, null for a person. */
export async function makeSeries(
  deps: SeriesDeps,
  request: ScheduleRequest,
  sourceSessionId: string | null,
): Promise<SeriesDetail> {
  if (deps.isStopping()) throw new SessiondError('HOST_STOPPING', 'The host is shutting down and takes no tasks.')
  const { scene, ...made } = await parse(deps, request)
  // Who merely asks again is told that it is there.
  if ((await deps.store.getSeries(made.id)) === null) await refuseBelowFloor(deps)
  const series = await deps.store.createSeries({ ...made, sourceSessionId }, scene.nowMs)
  if (series instanceof Error) throw series
  deps.onChanged()
  return detail(deps, series)
}

/** Keeps room for finishing what was accepted. Series that exist fire all the same, and may be stopped or resumed. */
async function refuseBelowFloor({ diskFloor }: SeriesDeps): Promise<void> {
  const refusal = await belowFloor(diskFloor)
  if (refusal !== null) throw refusal
}

/** Pauses a series; `because`: who did, in words. */
export async function pauseSeries(deps: SeriesDeps, id: string, because: string): Promise<SeriesDetail> {
  return detail(deps, await changed(deps, id, { to: 'paused', because }))
}

async function parse(deps: SeriesDeps, request: ScheduleRequest) {
  const { config } = deps
  const rules = { groups: config.groups, textBytes: config.limits.textBytes }
  const sessionId = sessionIdOf(request.group, request.session ?? 'main')
  const scene = await sceneOf(deps, sessionId, request.group)
  return { ...parseSchedule(request, rules, scene), scene }
}

async function sceneOf({ config, store, world }: SeriesDeps, sessionId: string, group: string): Promise<ScheduleScene> {
  const own = (await store.getSession(sessionId))?.timeZone
  const sessionZone = own ?? config.groups.get(group)?.timeZone ?? 'UTC'
  return { nowMs: world.now(), sessionZone, newId: () => world.newId('t-') }
}

/** By its own id, or that of an occurrence: `<series>.<n>`. */
async function find({ store }: SeriesDeps, id: string): Promise<Series> {
  const series = (await store.getSeries(id)) ?? (await store.getSeries(id.replace(/\.\d+$/, '')))
  if (series !== null) return series
  throw seriesNotFound(id)
}

export function seriesNotFound(seriesId: string): SessiondError {
  return new SessiondError('SERIES_NOT_FOUND', `There is no task ${seriesId}.`, { fields: { seriesId } })
}

async function changed(deps: SeriesDeps, id: string, change: SeriesChange): Promise<Series> {
  const { id: seriesId } = await find(deps, id)
  const outcome = await deps.store.changeSeries(seriesId, change, deps.world.now())
  if (!outcome.done) throw refusal(seriesId, outcome.because)
  deps.onChanged()
  return outcome.series
}

function refusal(seriesId: string, because: (SeriesChanged & { done: false })['because']): SessiondError {
  const fields = { seriesId }
  switch (because) {
    case 'not-found':
      return seriesNotFound(seriesId)
    case 'live':
      return new SessiondError('SERIES_LIVE', `Task ${seriesId} is being worked on, or waits to be.`, { fields })
    case 'session-closed':
      return new SessiondError('SESSION_CLOSED', `The session of task ${seriesId} is closed.`, { fields })
    case 'ended':
    case 'paused':
    case 'active':
      return new SessiondError('SERIES_NOT_OPEN', `Task ${seriesId} is ${because}.`, { fields })
  }
}

function detail({ world }: SeriesDeps, series: Series): SeriesDetail {
  const { state, plan, zone, nextAtMs } = series
  if (state !== 'active') return { series, timeZone: zone, firings: [] }
  const fromMs = nextAtMs === null ? world.now() : nextAtMs - 1
  return { series, ...preview({ plan, zone, fromMs }) }
}

function preview({ plan, zone, fromMs }: Pick<Series, 'plan' | 'zone'> & { readonly fromMs: number }): SchedulePreview {
  const compiled = compileSchedule(plan.schedule, zone)
  if ('problem' in compiled) return { timeZone: zone, firings: [] }
  const untilMs = plan.endAtMs ?? Number.MAX_SAFE_INTEGER
  const { firings } = compiled.upTo(fromMs, untilMs, Math.min(SHOWN, plan.maxRuns ?? SHOWN))
  return {
    timeZone: zone,
    firings: firings.map((firing) => {
      return { atMs: firing.atMs, local: formatWallTime(firing.atMs, zone), note: tellDst(firing, zone) }
    }),
  }
}

async function check({ store }: SeriesDeps, seriesId: string): Promise<LedgerCheck> {
  const sums = await store.readLedgerSums(seriesId)
  if (sums === null) throw seriesNotFound(seriesId)
  const steps = checkLedger(sums)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    await setImmediate()
  }
}
