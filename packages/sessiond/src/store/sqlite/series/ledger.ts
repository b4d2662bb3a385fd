import type { EndedInstants } from '../../../decide/decide-series.ts'
import type { LedgerLine, LedgerSums, Schedule, Series } from '../../../model/series.ts'
import type { Store } from '../../store.ts'
import type { Database } from '../database.ts'
import type { Tx } from '../tx.ts'
import { getSeries, type LedgerRow, toLedgerLine } from './series-rows.ts'

/** Adds a line for instants that ended without a message; more of the same kind lengthen the line before. */
export function addEnded(tx: Tx, seriesId: string, ended: EndedInstants, nowMs: number): void {
  const last = lastLine(tx.db, seriesId)
  const { outcome, because, count, firstDueAtMs, lastDueAtMs } = ended
  const isSame =
    last?.outcome === outcome && last.because === because && last.message_id === null && last.origin === 'schedule'
  if (last !== undefined && isSame) {
    tx.db.run(
      'UPDATE occurrences SET last_due_at_ms = ?, count = count + ?, ended_at_ms = ? WHERE series_id = ? AND ordinal = ?',
      lastDueAtMs,
      count,
      nowMs,
      seriesId,
      last.ordinal,
    )
    return
  }
  insert(tx, {
    seriesId,
    ordinal: (last?.ordinal ?? 0) + 1,
    origin: 'schedule',
    firstDueAtMs,
    lastDueAtMs,
    count,
    outcome,
    because,
    messageId: null,
    endedAtMs: nowMs,
  })
}

/** Where the next occurrence of a series will stand. */
export function nextOrdinal(db: Database, seriesId: string): number {
  return (lastLine(db, seriesId)?.ordinal ?? 0) + 1
}

/** Enters an occurrence as live. The database refuses a second one, where the series may have one alone. */
export function addLive(
  tx: Tx,
  occurrence: Pick<LedgerLine, 'seriesId' | 'ordinal' | 'origin' | 'messageId'> & { readonly dueAtMs: number },
  isExclusive: boolean,
): void {
  const { dueAtMs, ...line } = occurrence
  const live = { outcome: 'live', because: 'fired', endedAtMs: null, count: 1 } as const
  insert(tx, { ...line, ...live, firstDueAtMs: dueAtMs, lastDueAtMs: dueAtMs }, isExclusive)
}

function insert(tx: Tx, line: LedgerLine, isExclusive = false): void {
  tx.db.run(
    `INSERT INTO occurrences (series_id, ordinal, origin, first_due_at_ms, last_due_at_ms, count, outcome, because,
       message_id, ended_at_ms, is_exclusive)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    line.seriesId,
    line.ordinal,
    line.origin,
    line.firstDueAtMs,
    line.lastDueAtMs,
    line.count,
    line.outcome,
    line.because,
    line.messageId,
    line.endedAtMs,
    isExclusive ? 1 : 0,
  )
}

function lastLine(db: Database, seriesId: string): LedgerRow | undefined {
  const sql = 'SELECT * FROM occurrences WHERE series_id = ? ORDER BY ordinal DESC LIMIT 1'
  return db.get<LedgerRow>(sql, seriesId)
}

/** The live occurrence that a message carries. */
export function findLive(db: Database, messageId: string): LedgerRow | undefined {
  return db.get<LedgerRow>("SELECT * FROM occurrences WHERE message_id = ? AND outcome = 'live'", messageId)
}

/** The newest live occurrence of a series. */
export function newestLive(db: Database, seriesId: string): LedgerRow | undefined {
  const sql = `SELECT * FROM occurrences INDEXED BY occurrences_live WHERE series_id = ? AND outcome = 'live'
     ORDER BY ordinal DESC LIMIT 1`
  return db.get<LedgerRow>(sql, seriesId)
}

/** Newest first. */
export function listLedger(db: Database, query: Parameters<Store['listLedger']>[0]): LedgerLine[] {
  const { seriesId, beforeOrdinal = Number.MAX_SAFE_INTEGER, limit } = query
  const sql = 'SELECT * FROM occurrences WHERE series_id = ? AND ordinal < ? ORDER BY ordinal DESC LIMIT ?'
  return db.all<LedgerRow>(sql, seriesId, beforeOrdinal, limit).map(toLedgerLine)
}

/** A schedule with the time it held for: (fromMs, toMs]. */
export interface RevisionRow {
  readonly from_ms: number
  readonly to_ms: number | null
  readonly schedule: string
  readonly zone: string
  readonly end_at_ms: number | null
}

/** Notes by what a series is due from now on. */
export function addRevision(tx: Tx, { id, plan, zone, accountedToMs }: Series): void {
  tx.db.run('UPDATE series_revisions SET to_ms = ? WHERE series_id = ? AND to_ms IS NULL', accountedToMs, id)
  tx.db.run(
    `INSERT INTO series_revisions (series_id, revision, from_ms, to_ms, schedule, zone, end_at_ms)
     SELECT ?1, coalesce(max(revision), 0) + 1, ?2, NULL, ?3, ?4, ?5 FROM series_revisions WHERE series_id = ?1`,
    id,
    accountedToMs,
    JSON.stringify(plan.schedule),
    zone,
    plan.endAtMs,
  )
}

export function readLedgerSums(db: Database, seriesId: string): LedgerSums | null {
  const series = getSeries(db, seriesId)
  if (series === null) return null
  const sums = db.all<{ outcome: string; origin: string; count: number }>(
    'SELECT outcome, origin, sum(count) AS count FROM occurrences WHERE series_id = ? GROUP BY outcome, origin',
    seriesId,
  )
  const revisions = db.all<RevisionRow>(
    'SELECT * FROM series_revisions WHERE series_id = ? ORDER BY revision',
    seriesId,
  )
  return {
    sums: sums.map(({ outcome, origin, count }) => {
      return { outcome: outcome as LedgerLine['outcome'], origin: origin as LedgerLine['origin'], count }
    }),
    due: revisions.map((revision) => {
      return {
        schedule: JSON.parse(revision.schedule) as Schedule,
        zone: revision.zone,
        fromMs: revision.from_ms,
        toMs: Math.min(revision.to_ms ?? series.accountedToMs, revision.end_at_ms ?? Number.POSITIVE_INFINITY),
      }
    }),
  }
}
