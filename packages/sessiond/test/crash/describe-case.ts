import type { JournalRecord } from '../../src/model/journal.ts'
import type { CaseResult } from './crash-case.ts'

/** Lines of journal shown of a case. */
const MAX_LINES = 80

/** Tells a case for people: how to run it again, what was wrong, what was planned and what happened. */
export function describeCase({ plan, problems, lives, evidence }: CaseResult, runtime: string): string {
  const { seed, lives: planned, ...rest } = plan
  const again = `SESSIOND_CRASH_SEED=${seed} vitest run packages/sessiond/test/crash/${runtime}`
  const lived = planned.map(({ messages, ...life }, index) => {
    const { words = [], diedAt, stderr = '' } = lives[index] ?? {}
    const said = words.filter(({ word }) => word !== 'acked').map((word) => JSON.stringify(word))
    const sent = messages.map(({ id, session }) => `${id} to ${session}`).join(', ')
    return `life ${index}: ${JSON.stringify(life)} sends [${sent}]\n  ended ${diedAt ?? 'cleanly'}: ${said.join(' ')}\n${stderr}`
  })
  const witnesses = [...(evidence?.witnesses ?? [])].flatMap(([sessionId, all]) =>
    all.map((seen) => `  ${sessionId} ${JSON.stringify(seen)}`),
  )
  return [
    `case ${seed} (${again})`,
    ...problems.map((problem) => `  PROBLEM ${problem}`),
    `plan ${JSON.stringify(rest)}`,
    ...lived,
    ...(evidence?.journal.slice(-MAX_LINES).map(lineOf) ?? ['no journal']),
    ...witnesses,
  ].join('\n')
}

function lineOf({ id, atMs, type, sessionId, epoch, messageId, detail }: JournalRecord): string {
  const where = [sessionId, epoch === null ? null : `run ${epoch}`, messageId].filter((part) => part !== null).join(' ')
  return `  ${id} ${atMs % 1_000_000} ${type} ${where} ${JSON.stringify(detail)}`
}
