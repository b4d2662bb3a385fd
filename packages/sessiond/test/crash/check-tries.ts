import type { JournalRecord } from '../../src/model/journal.ts'
import type { CrashPlan } from './crash-plan.ts'
import type { Witness } from './crash-runner.ts'
import type { Evidence, FinalMessage } from './evidence.ts'

type Died = Witness & { readonly did: 'died' }

/**
 * Invariants 5 and 6: a try is spent for each death of a run that held the message while a host was watching, for
 * nothing else; deaths before a claim are counted apart.
 */
export function checkTries(plan: CrashPlan, evidence: Evidence): string[] {
  return [
    ...evidence.messages.flatMap((message) => checkMessage(message, evidence)),
    ...checkSpawnFailures(plan, evidence),
  ]
}

function checkMessage(message: FinalMessage, evidence: Evidence): string[] {
  const witnesses = evidence.witnesses.get(message.sessionId) ?? []
  const lines = evidence.journal.filter((line) => line.messageId === message.id)
  const spent = spentByEpoch(lines)
  const problems: string[] = []
  for (const died of deathsHolding(message.id, witnesses)) {
    const tries = spent.get(died.epoch) ?? 0
    spent.delete(died.epoch)
    const before = witnesses.slice(0, witnesses.indexOf(died))
    const isAnswered = before.some((seen) => seen.did === 'replied' && seen.id === message.id)
    const mustSpend = !isAnswered && message.failure !== 'CANCELLED' && message.failure !== 'SESSION_CLOSED'
    const least = mustSpend && wasWatched(message.sessionId, died.epoch, evidence.journal) ? 1 : 0
    const most = isAnswered ? 0 : 1
    if (tries < least || tries > most) {
      problems.push(`${message.id} spent ${tries} tries on run ${died.epoch}, which died at ${died.step}`)
    }
  }
  for (const [epoch, tries] of spent) problems.push(`${message.id} spent ${tries} tries on run ${epoch} without reason`)
  return problems
}

function deathsHolding(id: string, witnesses: readonly Witness[]): Died[] {
  return witnesses.filter((seen): seen is Died => seen.did === 'died' && seen.held.includes(id))
}

/** Tries each run cost a message, where it cost any. */
function spentByEpoch(lines: readonly JournalRecord[]): Map<number, number> {
  const spent = new Map<number, number>()
  let tries = 0
  for (const { type, epoch, detail } of lines) {
    if (type !== 'message:retried' && type !== 'message:failed') continue
    const now = Number(detail.tries)
    if (now !== tries) spent.set(epoch ?? -1, now - tries)
    tries = now
  }
  return spent
}

/** One host saw the run from its start to its end, and had not asked it to end. */
function wasWatched(sessionId: string, epoch: number, journal: readonly JournalRecord[]): boolean {
  const ofRun = journal.filter((line) => line.sessionId === sessionId && line.epoch === epoch)
  const begun = ofRun.find((line) => line.type === 'run:intended')?.id ?? 0
  const ended = ofRun.find((line) => line.type === 'run:exited')?.id ?? 0
  if (ofRun.some((line) => line.type === 'run:stopRequested')) return false
  return !journal.some((line) => line.type === 'host:started' && line.id > begun && line.id < ended)
}

function checkSpawnFailures(plan: CrashPlan, { journal, witnesses }: Evidence): string[] {
  const isBroken = plan.lives.some((life) => life.isStartBroken)
  return journal.flatMap(({ type, sessionId, epoch }) => {
    if (type !== 'run:spawnFailed' || isBroken) return []
    const ofRun = (witnesses.get(sessionId ?? '') ?? []).filter((seen) => seen.epoch === epoch)
    const hasDied = ofRun.some((seen) => seen.did === 'died')
    const hadClaimed = ofRun.some((seen) => seen.did === 'took' || (seen.did === 'died' && seen.held.length > 0))
    return hasDied && !hadClaimed ? [] : [`${sessionId}: run ${epoch} counts as one that did not come up`]
  })
}
