import type { EndedInstants } from '../../../decide/decide-series.ts'
import { compileSchedule } from '../../../decide/recurrence/compile-schedule.ts'
import { decideZone } from '../../../decide/recurrence/decide-zone.ts'
import { type DueRange, dueRange } from '../../../decide/recurrence/due-range.ts'
import { SessiondError } from '../../../model/errors.ts'
import type { NewSeries, Series, SeriesPlan } from '../../../model/series.ts'
import type { SeriesChange, SeriesChanged } from '../../store.ts'
import { ensureSession } from '../accept.ts'
import { requestCancel } from '../cancel.ts'
import type { Tx } from '../tx.ts'
import { addEnded, addRevision } from './ledger.ts'
import { getSeries, type SeriesRow, saveSeries, toSeries } from './series-rows.ts'
import { addOccurrence, journal, stepSeries } from './step-series.ts'
import { zoneOfSession } from './zones.ts'

/** Makes a series, once: the same id again returns what is there. */
export function createSeries(tx: Tx, made: NewSeries, nowMs: number): Series | SessiondError {
  const standing = getSeries(tx.db, made.id)
  if (standing !== null) return repeat(standing, made)
  const refusal = ensureSession(tx, made, nowMs)
  if (refusal !== null) return refusal
  const homeZone = zoneOfSession(tx.db, made.sessionId)
  const zone = decideZone(made.plan, homeZone, homeZone)
  const series: Series = {
    ...made,
    state: 'active',
    because: null,
    createdAtMs: nowMs,
    homeZone,
    zone,
    nextAtMs: nowMs,
    // One instant may be now: it counts.
    accountedToMs: made.plan.schedule.kind === 'once' ? Math.min(nowMs, made.plan.schedule.atMs - 1) : nowMs,
    liveUntilMs: 0,
    catchUpToMs: 0,
    heldUntilMs: 0,
    heldFor: null,
    failuresInARow: 0,
    firings: 0,
    liveMessageId: null,
  }
  insert(tx, series)
  addRevision(tx, series)
  journal(tx, 'series:created', series, { schedule: made.plan.schedule, zone }, nowMs)
  return arm(tx, series, nowMs)
}

/** Reckons when it is due next; nothing is due already. */
function arm(tx: Tx, series: Series, nowMs: number): Series {
  stepSeries(tx, series, { nowMs, sinks: [], lateByMs: 0 })
  return getSeries(tx.db, series.id) ?? series
}

function repeat(standing: Series, made: NewSeries): Series | SessiondError {
  const isSame =
    standing.sessionId === made.sessionId &&
    standing.content === made.content &&
    JSON.stringify(standing.plan) === JSON.stringify(made.plan)
  if (isSame) return standing
  return new SessiondError('SERIES_ID_CONFLICT', `The id ${made.id} belongs to another task.`, {
    fields: { seriesId: made.id, sessionId: made.sessionId },
  })
}

function insert(tx: Tx, series: Series): void {
  tx.db.run(
    `INSERT INTO series (id, session_id, state, plan, kind, content, platform_id, channel_type, thread_id,
       source_session_id, created_at_ms, home_zone, zone, next_at_ms, accounted_to_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    series.id,
    series.sessionId,
    series.state,
    JSON.stringify(series.plan),
    series.kind,
    series.content,
    series.address.platformId,
    series.address.channelType,
    series.address.threadId,
    series.sourceSessionId,
    series.createdAtMs,
    series.homeZone,
    series.zone,
    series.nextAtMs,
    series.accountedToMs,
  )
}

/** Changes a series that has not ended. What was due before is accounted for by what it was before. */
export function changeSeries(tx: Tx, seriesId: string, change: SeriesChange, nowMs: number): SeriesChanged {
  const found = getSeries(tx.db, seriesId)
  if (found === null) return { done: false, because: 'not-found' }
  if (found.state === 'ended') return { done: false, because: 'ended' }
  switch (change.to) {
    case 'paused':
      return pause(tx, found, change.because, nowMs)
    case 'resumed':
      return resume(tx, found, nowMs)
    case 'ended':
      return cancel(tx, found, nowMs)
    case 'updated':
      return update(tx, found, change, nowMs)
    case 'run-now':
      return runNow(tx, found, nowMs)
  }
}

function pause(tx: Tx, series: Series, because: string, nowMs: number): SeriesChanged {
  if (series.state === 'paused') return { done: false, because: 'paused' }
  saveSeries(tx, { ...series, state: 'paused', because, nextAtMs: null })
  journal(tx, 'series:paused', series, { because: 'asked' }, nowMs)
  return changed(tx, series)
}

/** What came due meanwhile is skipped; a parked one is looked at anew. */
function resume(tx: Tx, series: Series, nowMs: number): SeriesChanged {
  if (series.state === 'active') return { done: false, because: 'active' }
  const held = { heldUntilMs: nowMs, heldFor: 'paused' } as const
  const resumed = { ...series, ...held, state: 'active' as const, because: null, failuresInARow: 0, nextAtMs: nowMs }
  saveSeries(tx, resumed)
  journal(tx, 'series:resumed', series, {}, nowMs)
  arm(tx, resumed, nowMs)
  return changed(tx, series)
}

function cancel(tx: Tx, series: Series, nowMs: number): SeriesChanged {
  endBecause(tx, series, 'cancelled', nowMs)
  if (series.liveMessageId !== null) requestCancel(tx, series.liveMessageId, nowMs)
  return changed(tx, series)
}

function update(
  tx: Tx,
  series: Series,
  { plan, content }: SeriesChange & { to: 'updated' },
  nowMs: number,
): SeriesChanged {
  const next: SeriesPlan = { ...series.plan, ...plan }
  const accounted = account(tx, fireDue(tx, series, nowMs), 'updated', nowMs)
  const zone = decideZone(next, zoneOfSession(tx.db, series.sessionId), series.homeZone)
  const isRunning = series.state !== 'paused'
  const updated: Series = {
    ...accounted,
    plan: next,
    content: content ?? series.content,
    zone,
    ...(isRunning ? { state: 'active', because: null, nextAtMs: nowMs } : {}),
  }
  saveSeries(tx, updated)
  addRevision(tx, updated)
  journal(tx, 'series:changed', series, { schedule: next.schedule, zone }, nowMs)
  if (isRunning) arm(tx, updated, nowMs)
  return changed(tx, series)
}

/** An occurrence beside the schedule, which goes on as it was. */
function runNow(tx: Tx, series: Series, nowMs: number): SeriesChanged {
  if (series.liveMessageId !== null && series.plan.overlap !== 'allow') return { done: false, because: 'live' }
  const messageId = addOccurrence(tx, series, { origin: 'run-now', dueAtMs: nowMs, startMs: nowMs }, nowMs)
  if (messageId instanceof Error) return { done: false, because: 'session-closed' }
  saveSeries(tx, { ...series, liveMessageId: messageId })
  return changed(tx, series)
}

/** Its session is closed: whatever its series are in the midst of, they end. */
export function endSeriesOf(tx: Tx, sessionId: string, nowMs: number): void {
  const rows = tx.db.all<SeriesRow>(
    "SELECT * FROM series INDEXED BY series_of_session WHERE session_id = ? AND state <> 'ended'",
    sessionId,
  )
  for (const row of rows) endBecause(tx, toSeries(row), 'session-closed', nowMs)
}

function endBecause(tx: Tx, series: Series, because: string, nowMs: number): void {
  const accounted = account(tx, series, because, nowMs)
  saveSeries(tx, { ...accounted, state: 'ended', because, nextAtMs: null })
  journal(tx, 'series:ended', series, { because }, nowMs)
}

/** The session's zone is another: what goes by the wall clock of its user goes by the new one from now on. */
export function rezone(tx: Tx, series: Series, nowMs: number): void {
  const zone = decideZone(series.plan, zoneOfSession(tx.db, series.sessionId), series.homeZone)
  if (zone === series.zone || series.state === 'ended') return
  const accounted = { ...account(tx, fireDue(tx, series, nowMs), 'zone-changed', nowMs), zone }
  const isActive = series.state !== 'paused'
  const moved: Series = isActive ? { ...accounted, state: 'active', because: null, nextAtMs: nowMs } : accounted
  saveSeries(tx, moved)
  addRevision(tx, moved)
  journal(tx, 'series:changed', series, { zone, from: series.zone }, nowMs)
  if (isActive) arm(tx, moved, nowMs)
}

/** What is due right now has had no chance to fire yet: it does, by the plan that it was due by. */
function fireDue(tx: Tx, series: Series, nowMs: number): Series {
  return series.state === 'active' ? arm(tx, series, nowMs) : series
}

/** Brings the ledger up to now by the schedule as it stands: what has not fired ends for the reason given. */
function account(tx: Tx, current: Series, because: string, nowMs: number): Series {
  const compiled = compileSchedule(current.plan.schedule, current.zone)
  if ('problem' in compiled) return { ...current, accountedToMs: nowMs }
  const untilMs = Math.min(nowMs, current.plan.endAtMs ?? nowMs)
  const reason = current.state === 'paused' ? 'paused' : because
  for (let fromMs = current.accountedToMs; ; ) {
    const range = dueRange(compiled, fromMs, untilMs)
    if (range === null) break
    addEnded(tx, current.id, skipped(range, reason), nowMs)
    if (range.isWhole) break
    fromMs = range.lastMs
  }
  return { ...current, accountedToMs: Math.max(nowMs, current.accountedToMs), catchUpToMs: 0 }
}

function skipped({ firstMs, lastMs, count }: DueRange, because: string): EndedInstants {
  return { firstDueAtMs: firstMs, lastDueAtMs: lastMs, count, outcome: 'skipped', because }
}

function changed(tx: Tx, { id, liveMessageId: before }: Series): SeriesChanged {
  const series = getSeries(tx.db, id)
  if (series === null) throw new Error(`series ${id} vanished inside its transaction`)
  const firedId = series.liveMessageId === before ? null : series.liveMessageId
  return { done: true, series, firedId }
}
