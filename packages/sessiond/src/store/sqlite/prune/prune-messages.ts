import { NO_ROWS, type PrunedRows, type RowPruning } from '../../store.ts'
import type { Database } from '../database.ts'
import type { Tx } from '../tx.ts'
import { addRows, isOver, rulesOf, youngestKeptAtMs } from './row-rules.ts'
import { type DueRow, judgeRows, LOOKED_AT, placesOf, type RowWalk, readStep } from './row-walk.ts'
import { AnswerLooks } from './undelivered.ts'

interface Row {
  readonly at: number
  readonly id: string
  readonly session_id: string
  readonly bytes: number
  readonly ended_at_ms: number | null
  readonly dead_letter: number
  readonly failure: string | null
  readonly tries: number
  readonly series_id: string | null
}

interface DueMessage extends DueRow {
  readonly row: Row
}

const COLUMNS = `rowid AS at, id, session_id, octet_length(content) AS bytes, ended_at_ms, dead_letter, failure, tries,
  series_id`

/** Messages that have ended, dead letters among them by a figure of their own, once all they were answered is delivered. */
export const messageWalk: RowWalk = {
  name: 'messages',
  classes: ['messages', 'deadLetters'],
  look(db, pass, after) {
    const youngestMs = youngestKeptAtMs(pass, 'messagesMs', 'deadLettersMs')
    if (youngestMs === null) return { due: [], upTo: null }
    const sql = `SELECT ${COLUMNS} FROM messages WHERE rowid > ? ORDER BY rowid LIMIT ${LOOKED_AT}`
    const looks = new AnswerLooks(db, pass)
    const isOld = (row: Row) => row.ended_at_ms !== null && row.ended_at_ms < youngestMs
    return judgeRows(
      readStep(db.iterate<Row>(sql, after)),
      (row) => (isOld(row) ? judge(db, pass, row, looks) : null),
      () => looks.areUsedUp,
    )
  },
  remove(tx, pass, due) {
    const looks = new AnswerLooks(tx.db, pass)
    const still = due.flatMap(({ at }) => {
      const row = tx.db.get<Row>(`SELECT ${COLUMNS} FROM messages WHERE rowid = ?`, at)
      return (row === undefined ? null : judge(tx.db, pass, row, looks)) ?? []
    })
    for (const { row } of still) if (row.dead_letter === 1) journalDropped(tx, pass, row)
    tx.db.run('DELETE FROM messages WHERE rowid IN (SELECT value FROM json_each(?))', placesOf(still))
    return still.reduce<PrunedRows>((sum, { counts }) => addRows(sum, counts), NO_ROWS)
  },
}

function judge(db: Database, pass: RowPruning, row: Row, looks: AnswerLooks): DueMessage | null {
  const rules = rulesOf(pass, row.session_id)
  const isDead = row.dead_letter === 1
  if (row.ended_at_ms === null) return null
  if (!isOver(row.ended_at_ms, isDead ? rules.deadLettersMs : rules.messagesMs, pass.nowMs)) return null
  if (row.series_id !== null && isAwaited(db, row.id, row.series_id)) return null
  if (looks.isHeld(row.session_id, row.id)) return null
  return { at: row.at, row, counts: isDead ? { deadLetters: 1 } : { messages: 1 } }
}

/** A series that takes it for live must find it. */
function isAwaited(db: Database, messageId: string, seriesId: string): boolean {
  const sql = `SELECT EXISTS (SELECT 1 FROM occurrences WHERE message_id = ?1 AND outcome = 'live')
    OR EXISTS (SELECT 1 FROM series WHERE id = ?2 AND live_message_id = ?1) AS found`
  return db.get<{ found: number }>(sql, messageId, seriesId)?.found === 1
}

function journalDropped(tx: Tx, pass: RowPruning, row: Row): void {
  const { failure, tries, session_id: sessionId, id: messageId } = row
  const ageMs = pass.nowMs - (row.ended_at_ms ?? pass.nowMs)
  const keptMs = rulesOf(pass, sessionId).deadLettersMs
  const detail = { failure, tries, because: 'retention', ageMs, keptMs }
  tx.journal({ type: 'message:dropped', atMs: pass.nowMs, sessionId, epoch: null, messageId, detail })
}
