import { NO_ROWS, type RowPruning } from '../../store.ts'
import type { Database } from '../database.ts'
import type { Tx } from '../tx.ts'
import { isOver, rulesOf, youngestKeptAtMs } from './row-rules.ts'
import type { DueRow, RowWalk } from './row-walk.ts'

interface SeriesRow {
  readonly at: number
  readonly id: string
  readonly session_id: string
  readonly state: string
  readonly created_at_ms: number
  readonly accounted_to_ms: number
}

interface LineRow {
  readonly ordinal: number
  readonly origin: string
  readonly outcome: string
  readonly because: string
  readonly first_due_at_ms: number
  readonly last_due_at_ms: number
  readonly count: number
  readonly ended_at_ms: number | null
}

const COLUMNS = 'rowid AS at, id, session_id, state, created_at_ms, accounted_to_ms'

/** Series looked at in one step, and lines of all of them. */
const SERIES_LOOKED_AT = 50
const LINES_LOOKED_AT = 500

/**
 * Ledgers of series. Old lines that ended alike become one, so that the sums go on balancing and the ledger of a series
 * that runs for years stays short; a series that has ended goes with all its lines once the last of them is old.
 */
export const ledgerWalk: RowWalk = {
  name: 'ledger',
  classes: ['ledger'],
  look(db, pass, after) {
    if (youngestKeptAtMs(pass, 'ledgerMs') === null) return { due: [], upTo: null }
    const sql = `SELECT ${COLUMNS} FROM series WHERE rowid > ? ORDER BY rowid LIMIT ${SERIES_LOOKED_AT}`
    const all = db.all<SeriesRow>(sql, after)
    const due: DueRow[] = []
    let lines = 0
    for (const series of all) {
      const page = oldestLines(db, series.id)
      lines += page.length
      const ledger = weigh(pass, series, page)
      if (ledger > 0) due.push({ at: series.at, counts: { ledger } })
      if (lines >= LINES_LOOKED_AT) return { due, upTo: series.at }
    }
    return { due, upTo: all.length < SERIES_LOOKED_AT ? null : (all.at(-1)?.at ?? null) }
  },
  remove(tx, pass, due) {
    const ledger = due.reduce((sum, { at }) => sum + removeOf(tx, pass, at), 0)
    return { ...NO_ROWS, ledger }
  },
  /** Of a long ledger one page goes at a time. */
  hasMore(db, pass, due) {
    return due.some(({ at }) => {
      const series = readSeries(db, at)
      return series !== undefined && weigh(pass, series, oldestLines(db, series.id)) > 0
    })
  },
}

function readSeries(db: Database, at: number): SeriesRow | undefined {
  return db.get<SeriesRow>(`SELECT ${COLUMNS} FROM series WHERE rowid = ?`, at)
}

/** How many rows of a series are to go. */
function weigh(pass: RowPruning, series: SeriesRow, page: readonly LineRow[]): number {
  return goesWhole(pass, series, page) ? page.length + 1 : foldedBy(sumUp(pass, series, page))
}

function removeOf(tx: Tx, pass: RowPruning, at: number): number {
  const series = readSeries(tx.db, at)
  if (series === undefined) return 0
  const page = oldestLines(tx.db, series.id)
  if (!goesWhole(pass, series, page)) return fold(tx, series.id, sumUp(pass, series, page))
  tx.db.run('DELETE FROM occurrences WHERE series_id = ?', series.id)
  tx.db.run('DELETE FROM series_revisions WHERE series_id = ?', series.id)
  tx.db.run('DELETE FROM series WHERE id = ?', series.id)
  return page.length + 1
}

function oldestLines(db: Database, seriesId: string): LineRow[] {
  const sql = `SELECT ordinal, origin, outcome, because, first_due_at_ms, last_due_at_ms, count, ended_at_ms
    FROM occurrences WHERE series_id = ? ORDER BY ordinal LIMIT ${LINES_LOOKED_AT}`
  return db.all<LineRow>(sql, seriesId)
}

/** Whether it has ended, and everything of it that long ago; a ledger longer than its page is summed up first. */
function goesWhole(pass: RowPruning, series: SeriesRow, page: readonly LineRow[]): boolean {
  const { session_id: sessionId, state, created_at_ms: createdAtMs, accounted_to_ms: accountedToMs } = series
  const { ledgerMs } = rulesOf(pass, sessionId)
  const isOld = (atMs: number | null) => atMs !== null && isOver(atMs, ledgerMs, pass.nowMs)
  if (state !== 'ended' || page.length === LINES_LOOKED_AT) return false
  return isOld(createdAtMs) && isOld(accountedToMs) && page.every((line) => isOld(line.ended_at_ms))
}

/** Lines that become one, each under the newest of their ordinals: so that no ordinal is ever given anew. */
type Sum = { readonly lines: readonly LineRow[]; readonly into: LineRow }

function sumUp(
  pass: RowPruning,
  { session_id: sessionId }: Pick<SeriesRow, 'session_id'>,
  page: readonly LineRow[],
): Sum[] {
  const { ledgerMs } = rulesOf(pass, sessionId)
  const alike = new Map<string, LineRow[]>()
  for (const line of page) {
    if (line.ended_at_ms === null || !isOver(line.ended_at_ms, ledgerMs, pass.nowMs)) continue
    const kind = JSON.stringify([line.origin, line.outcome, line.because])
    alike.set(kind, [...(alike.get(kind) ?? []), line])
  }
  return [...alike.values()].flatMap((lines) => {
    const into = lines.at(-1)
    return into === undefined || lines.length === 1 ? [] : [{ lines, into }]
  })
}

function foldedBy(sums: readonly Sum[]): number {
  return sums.reduce((total, { lines }) => total + lines.length - 1, 0)
}

function fold(tx: Tx, seriesId: string, sums: readonly Sum[]): number {
  for (const { lines, into } of sums) {
    const others = lines.filter((line) => line !== into).map(({ ordinal }) => ordinal)
    tx.db.run(
      'DELETE FROM occurrences WHERE series_id = ? AND ordinal IN (SELECT value FROM json_each(?))',
      seriesId,
      JSON.stringify(others),
    )
    tx.db.run(
      `UPDATE occurrences SET first_due_at_ms = ?, last_due_at_ms = ?, count = ?, ended_at_ms = ?, message_id = NULL
       WHERE series_id = ? AND ordinal = ?`,
      Math.min(...lines.map((line) => line.first_due_at_ms)),
      Math.max(...lines.map((line) => line.last_due_at_ms)),
      lines.reduce((total, line) => total + line.count, 0),
      Math.max(...lines.map((line) => line.ended_at_ms ?? 0)),
      seriesId,
      into.ordinal,
    )
  }
  return foldedBy(sums)
}
