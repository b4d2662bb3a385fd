import type { AnswerRow, MessageInRow, RunRow } from '@sessiond/protocol'
import type { InboundContent } from './operations.ts'

/** What this host last wrote into one `inbound.db`, kept to write only differences and to notice tampering. */
export interface InboundMemory {
  readonly stamp: string
  /** Id to `<attempt>:<status>:<process_after>` of each row. */
  readonly rows: ReadonlyMap<string, string>
  /** Ids of the requests it answers; an answer never changes. */
  readonly answers: ReadonlySet<string>
  readonly run: RunRow
}

export interface InboundDifference {
  readonly upserts: readonly MessageInRow[]
  readonly deletes: readonly string[]
  readonly newAnswers: readonly AnswerRow[]
  readonly oldAnswers: readonly string[]
  /** Null: unchanged. */
  readonly run: RunRow | null
}

/** Notes what a file holds once `content` was written and the file got `stamp`. */
export function rememberInbound(content: InboundContent, stamp: string): InboundMemory {
  const rows = new Map(content.messages.map((row) => [row.id, stateOf(row)]))
  return { stamp, rows, answers: new Set(content.answers.map(idOf)), run: content.run }
}

/** Says what must be written so that the file of `memory` holds `content`; null: nothing. */
export function inboundDifference(memory: InboundMemory, content: InboundContent): InboundDifference | null {
  const wanted = new Set(content.messages.map((row) => row.id))
  const upserts = content.messages.filter((row) => memory.rows.get(row.id) !== stateOf(row))
  const deletes = [...memory.rows.keys()].filter((id) => !wanted.has(id))
  const answered = new Set(content.answers.map(idOf))
  const newAnswers = content.answers.filter((row) => !memory.answers.has(row.request_id))
  const oldAnswers = [...memory.answers].filter((id) => !answered.has(id))
  const run = isSameRun(memory.run, content.run) ? null : content.run
  const changes = upserts.length + deletes.length + newAnswers.length + oldAnswers.length
  return changes === 0 && run === null ? null : { upserts, deletes, newAnswers, oldAnswers, run }
}

function idOf(answer: AnswerRow): string {
  return answer.request_id
}

function stateOf(row: MessageInRow): string {
  return `${row.attempt}:${row.status}:${row.process_after}`
}

function isSameRun(a: RunRow, b: RunRow): boolean {
  return (
    a.epoch === b.epoch &&
    a.granted_at === b.granted_at &&
    a.taken_seq === b.taken_seq &&
    a.protocol === b.protocol &&
    a.time_zone === b.time_zone
  )
}
