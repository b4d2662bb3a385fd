import { NO_ROWS, type PrunedRows, type RowPruning } from '../../store.ts'
import type { Database } from '../database.ts'
import { journalDelivery } from '../deliveries.ts'
import type { DeliveryRow } from '../rows.ts'
import type { Tx } from '../tx.ts'
import { addRows, isOver, rulesOf, youngestKeptAtMs } from './row-rules.ts'
import { type DueRow, LOOKED_AT, placesOf, type RowWalk, readStep } from './row-walk.ts'

interface Row {
  readonly at: number
  readonly id: string
  readonly session_id: string
  readonly bytes: number
  readonly created_at_ms: number
}

interface DueReply extends DueRow {
  readonly goes: boolean
  readonly dead: readonly DeliveryRow[]
}

const COLUMNS = 'ordinal AS at, id, session_id, octet_length(content) AS bytes, created_at_ms'

/**
 * Replies that are delivered everywhere, with their deliveries; and deliveries that died and were left so for too long:
 * they are dropped, which lets their reply go.
 */
export const replyWalk: RowWalk = {
  name: 'replies',
  classes: ['replies', 'deadLetters'],
  look(db, pass, after) {
    const youngestMs = youngestKeptAtMs(pass, 'repliesMs', 'deadLettersMs')
    if (youngestMs === null) return { due: [], upTo: null }
    const sql = `SELECT ${COLUMNS} FROM replies WHERE ordinal > ? ORDER BY ordinal LIMIT ${LOOKED_AT}`
    const { rows, upTo } = readStep(db.iterate<Row>(sql, after))
    const old = rows.filter((row) => row.created_at_ms < youngestMs)
    return { due: old.flatMap((row) => judge(db, pass, row) ?? []), upTo }
  },
  remove(tx, pass, due) {
    const still = due.flatMap(({ at }) => {
      const row = tx.db.get<Row>(`SELECT ${COLUMNS} FROM replies WHERE ordinal = ?`, at)
      return (row === undefined ? null : judge(tx.db, pass, row)) ?? []
    })
    for (const { dead } of still) for (const delivery of dead) drop(tx, pass, delivery)
    const places = placesOf(still.filter(({ goes }) => goes))
    tx.db.run(
      `DELETE FROM deliveries WHERE reply_id IN (
         SELECT id FROM replies WHERE ordinal IN (SELECT value FROM json_each(?)))`,
      places,
    )
    tx.db.run('DELETE FROM replies WHERE ordinal IN (SELECT value FROM json_each(?))', places)
    return still.reduce<PrunedRows>((sum, { counts }) => addRows(sum, counts), NO_ROWS)
  },
}

function judge(db: Database, pass: RowPruning, row: Row): DueReply | null {
  const rules = rulesOf(pass, row.session_id)
  const deliveries = db.all<DeliveryRow>('SELECT * FROM deliveries WHERE reply_id = ? ORDER BY id', row.id)
  const dead = deliveries.filter(({ status, ended_at_ms }) => {
    return status === 'failed' && isOver(ended_at_ms ?? pass.nowMs, rules.deadLettersMs, pass.nowMs)
  })
  const isDone = deliveries.every(
    (each) => each.status === 'delivered' || each.status === 'dropped' || dead.includes(each),
  )
  const doneAtMs = deliveries.reduce((latest, each) => Math.max(latest, each.ended_at_ms ?? 0), row.created_at_ms)
  const goes = isDone && isOver(doneAtMs, rules.repliesMs, pass.nowMs)
  if (!goes && dead.length === 0) return null
  return { at: row.at, goes, dead, counts: { replies: goes ? 1 : 0, deadLetters: dead.length } }
}

function drop(tx: Tx, pass: RowPruning, row: DeliveryRow): void {
  tx.db.run("UPDATE deliveries SET status = 'dropped' WHERE id = ? AND status = 'failed'", row.id)
  const ageMs = pass.nowMs - (row.ended_at_ms ?? pass.nowMs)
  const keptMs = rulesOf(pass, row.session_id).deadLettersMs
  journalDelivery(tx, 'reply:deliveryDropped', row, { because: 'retention', ageMs, keptMs }, pass.nowMs)
}
