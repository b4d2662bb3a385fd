import {
  type CountedRows,
  NO_ROWS,
  type PrunedRows,
  ROW_CLASSES,
  type RowCursor,
  type RowPruning,
  type Store,
} from '../../store.ts'
import type { Database } from '../database.ts'
import type { Tx } from '../tx.ts'
import { journalWalk } from './prune-journal.ts'
import { ledgerWalk } from './prune-ledger.ts'
import { messageWalk } from './prune-messages.ts'
import { replyWalk } from './prune-replies.ts'
import { runWalk } from './prune-runs.ts'
import { sessionWalk } from './prune-sessions.ts'
import { addRows } from './row-rules.ts'
import type { DueRow, RowWalk } from './row-walk.ts'

/** In this order, so that what others refer to goes after them. */
const WALKS: readonly RowWalk[] = [replyWalk, messageWalk, ledgerWalk, runWalk, journalWalk, sessionWalk]

/** Steps without anything due that are made in one go. */
const STEPS = 4

interface Place {
  readonly walk: RowWalk
  readonly after: number
}

/** What the next transaction has to do. */
export interface NextRows {
  readonly due: readonly DueRow[]
  readonly walk: RowWalk
  /** Where the step began, for one that has to be made again. */
  readonly from: RowCursor | null
  readonly cursor: RowCursor | null
}

/** Looks for the next rows whose time is over, a bounded number of steps; changes nothing. */
export function nextRows(db: Database, pass: RowPruning, cursor: RowCursor | null): NextRows {
  let place: Place | null = placeOf(cursor)
  let found: NextRows | null = null
  for (let step = 0; step < STEPS && place !== null; step += 1) {
    const { walk, after }: Place = place
    const { due, upTo } = walk.look(db, pass, after)
    place = upTo === null ? startOf(WALKS[WALKS.indexOf(walk) + 1]) : { walk, after: upTo }
    found = { due, walk, from: cursorOf({ walk, after }), cursor: cursorOf(place) }
    if (due.length > 0) return found
  }
  if (found === null) throw new Error('no step was made')
  return found
}

/** Removes what has been found, as far as it is due still, and tells where to go on. */
export function removeRows(
  tx: Tx,
  pass: RowPruning,
  { walk, due, from, cursor }: NextRows,
): { removed: PrunedRows; cursor: RowCursor | null } {
  const removed = walk.remove(tx, pass, due)
  return { removed, cursor: walk.hasMore?.(tx.db, pass, due) === true ? from : cursor }
}

/** Counts what would go, so many of each class and no further than it may go on; pauses between its steps. */
export async function countRows(
  ask: <T>(question: (db: Database) => T) => T,
  pass: RowPruning,
  limits: Parameters<Store['countPrunableRows']>[1],
  pause: () => Promise<void>,
): Promise<CountedRows> {
  let counted = NO_ROWS
  let isWhole = true
  for (const walk of WALKS) {
    for (let after: number | null = 0; after !== null; ) {
      const from: number = after
      const { due, upTo } = ask((db) => walk.look(db, pass, from))
      counted = due.reduce((sum, { counts }) => addRows(sum, counts), counted)
      const isEnough = walk.classes.every((name) => counted[name] >= limits.rows)
      after = upTo
      if (after === null) break
      await pause()
      if (!isEnough && limits.mayGoOn()) continue
      isWhole = false
      break
    }
  }
  const bounded = ROW_CLASSES.map((name) => [name, Math.min(counted[name], limits.rows)] as const)
  return { rows: { ...NO_ROWS, ...Object.fromEntries(bounded) }, isWhole }
}

function startOf(walk: RowWalk | undefined): Place | null {
  return walk === undefined ? null : { walk, after: 0 }
}

function cursorOf(place: Place | null): RowCursor | null {
  return place === null ? null : (`${place.walk.name}:${place.after}` as RowCursor)
}

function placeOf(cursor: RowCursor | null): Place | null {
  if (cursor === null) return startOf(WALKS[0])
  const [name, after] = cursor.split(':')
  const walk = WALKS.find((each) => each.name === name)
  return walk === undefined || !Number.isSafeInteger(Number(after)) ? startOf(WALKS[0]) : { walk, after: Number(after) }
}
