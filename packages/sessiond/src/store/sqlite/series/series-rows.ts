import type { MessageKind } from '@sessiond/protocol'
import type { LedgerLine, OccurrenceOutcome, Series, SeriesPlan, SeriesState } from '../../../model/series.ts'
import type { Database } from '../database.ts'
import { groupOf } from '../rows.ts'
import type { Tx } from '../tx.ts'

export interface SeriesRow {
  readonly id: string
  readonly session_id: string
  readonly state: string
  readonly because: string | null
  readonly plan: string
  readonly kind: string
  readonly content: string
  readonly platform_id: string | null
  readonly channel_type: string | null
  readonly thread_id: string | null
  readonly source_session_id: string | null
  readonly created_at_ms: number
  readonly home_zone: string
  readonly zone: string
  readonly next_at_ms: number | null
  readonly accounted_to_ms: number
  readonly live_until_ms: number
  readonly catch_up_to_ms: number
  readonly held_until_ms: number
  readonly held_for: string | null
  readonly failures_in_a_row: number
  readonly firings: number
  readonly live_message_id: string | null
}

export interface LedgerRow {
  readonly series_id: string
  readonly ordinal: number
  readonly origin: string
  readonly first_due_at_ms: number
  readonly last_due_at_ms: number
  readonly count: number
  readonly outcome: string
  readonly because: string
  readonly message_id: string | null
  readonly ended_at_ms: number | null
}

export function toSeries(row: SeriesRow): Series {
  return {
    id: row.id,
    sessionId: row.session_id,
    group: groupOf(row.session_id),
    plan: JSON.parse(row.plan) as SeriesPlan,
    kind: row.kind as MessageKind,
    content: row.content,
    address: { platformId: row.platform_id, channelType: row.channel_type, threadId: row.thread_id },
    sourceSessionId: row.source_session_id,
    state: row.state as SeriesState,
    because: row.because,
    createdAtMs: row.created_at_ms,
    homeZone: row.home_zone,
    zone: row.zone,
    nextAtMs: row.next_at_ms,
    accountedToMs: row.accounted_to_ms,
    liveUntilMs: row.live_until_ms,
    catchUpToMs: row.catch_up_to_ms,
    heldUntilMs: row.held_until_ms,
    heldFor: row.held_for as Series['heldFor'],
    failuresInARow: row.failures_in_a_row,
    firings: row.firings,
    liveMessageId: row.live_message_id,
  }
}

export function toLedgerLine(row: LedgerRow): LedgerLine {
  return {
    seriesId: row.series_id,
    ordinal: row.ordinal,
    origin: row.origin as LedgerLine['origin'],
    firstDueAtMs: row.first_due_at_ms,
    lastDueAtMs: row.last_due_at_ms,
    count: row.count,
    outcome: row.outcome as OccurrenceOutcome,
    because: row.because,
    messageId: row.message_id,
    endedAtMs: row.ended_at_ms,
  }
}

export function getSeries(db: Database, id: string): Series | null {
  const row = db.get<SeriesRow>('SELECT * FROM series WHERE id = ?', id)
  return row === undefined ? null : toSeries(row)
}

/** Writes all of a series that may change. */
export function saveSeries(tx: Tx, series: Series): void {
  tx.db.run(
    `UPDATE series SET state = ?, because = ?, plan = ?, content = ?, zone = ?, next_at_ms = ?, accounted_to_ms = ?,
       live_until_ms = ?, catch_up_to_ms = ?, held_until_ms = ?, held_for = ?, failures_in_a_row = ?, firings = ?,
       live_message_id = ?
     WHERE id = ?`,
    series.state,
    series.because,
    JSON.stringify(series.plan),
    series.content,
    series.zone,
    series.nextAtMs,
    series.accountedToMs,
    series.liveUntilMs,
    series.catchUpToMs,
    series.heldUntilMs,
    series.heldFor,
    series.failuresInARow,
    series.firings,
    series.liveMessageId,
    series.id,
  )
}
