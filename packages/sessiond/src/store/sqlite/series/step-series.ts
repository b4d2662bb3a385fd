import { decideOccurrenceEnd } from '../../../decide/decide-occurrence-end.ts'
import { decideSeries, type SeriesStep } from '../../../decide/decide-series.ts'
import { compileSchedule } from '../../../decide/recurrence/compile-schedule.ts'
import { staggerMs } from '../../../decide/recurrence/stagger.ts'
import type { JournalType } from '../../../model/journal.ts'
import type { Series } from '../../../model/series.ts'
import { accept } from '../accept.ts'
import { requestCancel } from '../cancel.ts'
import { addHostReply } from '../replies.ts'
import type { MessageRow } from '../rows.ts'
import type { Tx } from '../tx.ts'
import { addEnded, addLive, findLive, newestLive, nextOrdinal } from './ledger.ts'
import { getSeries, saveSeries } from './series-rows.ts'

/** What a look at a series needs beside the series. */
export interface SeriesContext {
  readonly nowMs: number
  /** Where people of the group are told. */
  readonly sinks: readonly string[]
  /** How much later than now an occurrence that is late starts, so that not all of them start at once. */
  readonly lateByMs: number
}

/** What a look came to; `interrupted`: a run holds the live occurrence, and has to be told to let go of it. */
export type Stepped = 'fired' | 'interrupted' | 'nothing'

/** Looks at a series that is due: fires what fires, and enters the end of all other instants. */
export function stepSeries(tx: Tx, series: Series, context: SeriesContext): Stepped {
  if (series.state !== 'active') return 'nothing'
  const compiled = compileSchedule(series.plan.schedule, series.zone)
  if ('problem' in compiled) {
    park(tx, series, compiled.problem.words, context)
    return 'nothing'
  }
  const step = decideSeries(series, compiled, context.nowMs)
  for (const ended of step.ended) addEnded(tx, series.id, ended, context.nowMs)
  tellMisses(tx, series, step, context)
  if (step.replaces) {
    return makeRoom(tx, series, context.nowMs)
  }
  const messageId = step.fire === null ? null : fire(tx, series, step.fire, context)
  if (messageId instanceof Error) {
    end(tx, series, messageId.message, context)
    return 'nothing'
  }
  saveSeries(tx, { ...series, ...after(step, series, messageId) })
  if (step.endedBecause !== null) journal(tx, 'series:ended', series, { because: step.endedBecause }, context.nowMs)
  return messageId === null ? 'nothing' : 'fired'
}

/** A run that holds the live occurrence lets go of it in its time; one that nobody holds ends here, and that fires the next. */
function makeRoom(tx: Tx, series: Series, nowMs: number): Stepped {
  saveSeries(tx, { ...series, nextAtMs: null })
  if (series.liveMessageId === null) return 'nothing'
  return requestCancel(tx, series.liveMessageId, nowMs) === 'requested' ? 'interrupted' : 'fired'
}

function after(step: SeriesStep, series: Series, messageId: string | null): Partial<Series> {
  const { accountedToMs, catchUpToMs, nextAtMs, endedBecause } = step
  const fired = messageId === null ? {} : { liveMessageId: messageId, firings: series.firings + 1 }
  const ended = endedBecause === null ? {} : ({ state: 'ended', because: endedBecause } as const)
  return { accountedToMs, catchUpToMs, nextAtMs, ...fired, ...ended }
}

/** E6: a host that was away says what it did with what it missed. */
function tellMisses(tx: Tx, series: Series, step: SeriesStep, { nowMs }: SeriesContext): void {
  const missed = step.ended.filter(({ because }) => because === 'missed' || because === 'too-late')
  if (missed.length === 0 && step.fire?.isLate !== true) return
  const count = missed.reduce((sum, each) => sum + each.count, 0)
  journal(tx, 'series:missed', series, { count, catchesUp: step.fire?.isLate === true }, nowMs)
}

/** Its message's id comes from its place in the ledger, so that no instant is fired twice whatever happens. */
function fire(
  tx: Tx,
  series: Series,
  { dueAtMs, isLate }: NonNullable<SeriesStep['fire']>,
  context: SeriesContext,
): string | Error {
  const startMs = isLate ? context.nowMs + context.lateByMs : dueAtMs + staggerMs(series.id, series.plan.staggerMs)
  return addOccurrence(tx, series, { origin: 'schedule', dueAtMs, startMs }, context.nowMs)
}

/** One occurrence: its line in the ledger, and the message that carries it. */
export function addOccurrence(
  tx: Tx,
  series: Series,
  { origin, dueAtMs, startMs }: { origin: 'schedule' | 'run-now'; dueAtMs: number; startMs: number },
  nowMs: number,
): string | Error {
  const ordinal = nextOrdinal(tx.db, series.id)
  const messageId = `${series.id}.${ordinal}`
  const { sessionId, group, kind, content, address, sourceSessionId } = series
  const message = { id: messageId, sessionId, group, kind, content, address, sourceSessionId, seriesId: series.id }
  const [receipt] = accept(
    tx,
    [{ ...message, processAfterMs: Math.max(startMs, nowMs), trigger: true, onWake: false }],
    nowMs,
  )
  if (receipt instanceof Error) return receipt
  addLive(tx, { seriesId: series.id, ordinal, origin, messageId, dueAtMs }, series.plan.overlap !== 'allow')
  journal(
    tx,
    'series:fired',
    series,
    { ordinal, origin, dueAtMs, lateMs: Math.max(0, nowMs - dueAtMs) },
    nowMs,
    messageId,
  )
  return messageId
}

/** How a message ended, as far as its occurrence is concerned. */
export interface MessageEnd {
  readonly status: 'completed' | 'failed'
  readonly failure: string | null
}

/**
 * Ends the occurrence a message carried, if it carried one, and arms its series anew: in the transaction that ends the
 * message, whatever its end was (E1, E3).
 */
export function endOccurrence(
  tx: Tx,
  row: MessageRow,
  end: MessageEnd,
  context: Pick<SeriesContext, 'nowMs' | 'sinks'>,
): void {
  if (row.series_id === null) return
  const live = findLive(tx.db, row.id)
  const series = getSeries(tx.db, row.series_id)
  if (live === undefined || series === null) return
  const { nowMs } = context
  const wasClaimed = row.status === 'claimed' || row.tries > 0
  const decision = decideOccurrenceEnd(series, { ...end, wasClaimed, origin: live.origin }, nowMs)
  const sql = 'UPDATE occurrences SET outcome = ?, because = ?, ended_at_ms = ? WHERE series_id = ? AND ordinal = ?'
  tx.db.run(sql, decision.outcome, decision.because, nowMs, series.id, live.ordinal)
  const left = newestLive(tx.db, series.id)?.message_id ?? null
  const ended = { ...series, ...decision.changes, liveMessageId: left }
  saveSeries(tx, ended)
  if (decision.tell !== null) {
    journal(tx, 'series:paused', series, { because: ended.because, failuresInARow: ended.failuresInARow }, nowMs)
    addHostReply(
      tx,
      { id: row.id, sessionId: series.sessionId, address: series.address },
      decision.tell,
      context.sinks,
      nowMs,
    )
  }
  stepSeries(tx, ended, { ...context, lateByMs: 0 })
}

export function park(tx: Tx, series: Series, words: string, { nowMs, sinks }: SeriesContext): void {
  saveSeries(tx, { ...series, state: 'parked', because: words, nextAtMs: null })
  journal(tx, 'series:parked', series, { because: words }, nowMs)
  const about = { id: series.id, sessionId: series.sessionId, address: series.address }
  addHostReply(tx, about, `Task ${series.id} is parked: ${words}`, sinks, nowMs)
}

function end(tx: Tx, series: Series, because: string, { nowMs }: SeriesContext): void {
  saveSeries(tx, { ...series, state: 'ended', because, nextAtMs: null })
  journal(tx, 'series:ended', series, { because }, nowMs)
}

export function journal(
  tx: Tx,
  type: JournalType,
  series: Series,
  detail: Readonly<Record<string, unknown>>,
  atMs: number,
  messageId: string | null = null,
): void {
  const { id: seriesId, sessionId } = series
  tx.journal({ type, atMs, sessionId, epoch: null, messageId, detail: { seriesId, ...detail } })
}
