import type { JournalRecord } from '../../src/model/journal.ts'
import type { Witness } from './crash-runner.ts'
import type { Evidence } from './evidence.ts'

/** Nothing here survives SIGKILL, tears its mailbox beyond repair, or makes a reconcile throw. */
const UNWANTED_LINES: readonly JournalRecord['type'][] = ['run:unkillable', 'mailbox:setAside', 'session:errored']

/** Lines that count a run's evidence: only the live run's may. */
const EVIDENCE_LINES: readonly JournalRecord['type'][] = ['message:claimed', 'message:completed', 'message:retried']

/** Invariants 2 and 3: one live run at a time, by the journal and by the runs' own word, and only it is counted. */
export function checkRuns(evidence: Evidence): string[] {
  return [...evidence.witnesses].flatMap(([sessionId, witnesses]) => [
    ...checkJournal(evidence.journal.filter((line) => line.sessionId === sessionId)).map(
      (problem) => `${sessionId}: ${problem}`,
    ),
    ...checkWitnesses(witnesses, evidence.counts.get(sessionId)).map((problem) => `${sessionId}: ${problem}`),
  ])
}

function checkJournal(lines: readonly JournalRecord[]): string[] {
  const problems: string[] = []
  let live: number | null = null
  let last = 0
  for (const { id, type, epoch, detail } of lines) {
    if (UNWANTED_LINES.includes(type)) problems.push(`${type} of run ${epoch} (line ${id}): ${JSON.stringify(detail)}`)
    if (type === 'run:intended') {
      if (live !== null) problems.push(`run ${epoch} was begun (line ${id}) while run ${live} was live`)
      if (epoch !== last + 1) problems.push(`run ${epoch} follows run ${last}`)
      live = epoch
      last = epoch ?? last
    } else if (type === 'run:exited') {
      if (epoch !== live) problems.push(`run ${epoch} ended (line ${id}) while run ${live} was live`)
      live = null
    } else if (isEvidence(type) && epoch !== null && epoch !== live) {
      problems.push(`${type} of run ${epoch} counted (line ${id}) while run ${live} was live`)
    }
  }
  return problems
}

function isEvidence(type: JournalRecord['type']): boolean {
  return EVIDENCE_LINES.includes(type) || type === 'message:failed' || type === 'reply:written'
}

function checkWitnesses(witnesses: readonly Witness[], kept: number | undefined): string[] {
  const problems: string[] = []
  const replied = new Set<string>()
  let epoch = 0
  let count = 0
  for (const seen of witnesses) {
    if (seen.did === 'overlapped') problems.push(`run ${seen.epoch} found another one alive`)
    if (seen.epoch < epoch) problems.push(`run ${seen.epoch} still acts (${seen.did}) after run ${epoch}`)
    epoch = Math.max(epoch, seen.epoch)
    if (seen.did === 'replied') replied.add(seen.id)
    if (seen.did !== 'took') continue
    for (const id of seen.ids) if (replied.has(id)) problems.push(`${id} was answered, and run ${epoch} got it again`)
    if (seen.count <= count) problems.push(`session_state went from ${count} to ${seen.count} in run ${epoch}`)
    count = seen.count
  }
  if (kept !== undefined ? kept < count : count > 0) problems.push(`session_state is ${kept} in the end, not ${count}`)
  return problems
}
