import type { PrunedRows, RowClass, RowPruning } from '../../store.ts'
import type { Database } from '../database.ts'
import type { Tx } from '../tx.ts'

/** A row that has something to lose: itself, or dead letters of it. */
export interface DueRow {
  /** Its place in its table. */
  readonly at: number
  readonly counts: Partial<PrunedRows>
}

/** One bounded step through a table. */
export interface Look {
  readonly due: readonly DueRow[]
  /** All up to here has been looked at; null: the table ends. */
  readonly upTo: number | null
}

/** How the rows of one table are walked through, in the order in which they were stored, and which of them go. */
export interface RowWalk {
  readonly name: string
  /** Classes its rows are counted by. */
  readonly classes: readonly RowClass[]
  /** Looks at the next rows after a place, few enough that nobody waits for it. Changes nothing. */
  look(db: Database, pass: RowPruning, after: number): Look
  /** Removes those of the rows that are due still, and counts them. */
  remove(tx: Tx, pass: RowPruning, due: readonly DueRow[]): PrunedRows
  /** Whether these rows have more to lose, a step's worth of which is gone; absent: they never have. */
  hasMore?(db: Database, pass: RowPruning, due: readonly DueRow[]): boolean
}

/** Rows looked at, and at most removed, in one step: some 3 ms in which nothing else happens. */
export const LOOKED_AT = 150

/** Contents passed in one step: what stands behind a long one in its row is read through it. */
export const READ_BYTES = 1024 * 1024

/** Reads rows until there are enough of them, or enough bytes of content in them. */
export function readStep<Row extends { readonly at: number; readonly bytes: number }>(
  rows: Iterable<Row>,
): { readonly rows: Row[]; readonly upTo: number | null } {
  const read: Row[] = []
  let bytes = 0
  for (const row of rows) {
    read.push(row)
    bytes += row.bytes
    if (read.length === LOOKED_AT || bytes >= READ_BYTES) return { rows: read, upTo: row.at }
  }
  return { rows: read, upTo: null }
}

/** Judges the rows of a step one by one, and ends it at the row after which there has been work enough. */
export function judgeRows<Row extends { readonly at: number }, Due extends DueRow>(
  { rows, upTo }: { readonly rows: readonly Row[]; readonly upTo: number | null },
  judge: (row: Row) => Due | null,
  isEnough: () => boolean,
): { readonly due: Due[]; readonly upTo: number | null } {
  const due: Due[] = []
  for (const row of rows) {
    const found = judge(row)
    if (found !== null) due.push(found)
    if (isEnough()) return { due, upTo: row.at }
  }
  return { due, upTo }
}

/** The places of rows, for `IN (SELECT value FROM json_each(?))`. */
export function placesOf(rows: readonly { readonly at: number }[]): string {
  return JSON.stringify(rows.map(({ at }) => at))
}
