import type { JournalRecord } from '../../src/model/journal.ts'
import type { CrashPlan } from './crash-plan.ts'
import type { Evidence, FinalMessage, FinalReply } from './evidence.ts'

/** What senders were told: the ids whose `send` resolved. */
export interface Told {
  readonly acked: ReadonlySet<string>
}

/** Invariant 1, and 7: what was acknowledged is there, and everything ended once, answered once. */
export function checkMessages(plan: CrashPlan, told: Told, evidence: Evidence): string[] {
  const ids = new Set(evidence.messages.map(({ id }) => id))
  const planned = new Set(plan.lives.flatMap((life) => life.messages.map(({ id }) => id)))
  return [
    ...[...told.acked].filter((id) => !ids.has(id)).map((id) => `${id} was acknowledged and is lost`),
    ...[...ids].filter((id) => !planned.has(id)).map((id) => `${id} was never sent`),
    ...evidence.messages.flatMap((message) => checkEnd(message, evidence)),
    ...evidence.messages.flatMap((message) => checkReplies(plan, message, evidence.replies)),
    ...checkSums(evidence),
  ]
}

function checkEnd({ id, status }: FinalMessage, { journal }: Evidence): string[] {
  const lines = journal.filter((line) => line.messageId === id)
  const count = (type: JournalRecord['type']) => lines.filter((line) => line.type === type).length
  const ends = { completed: count('message:completed'), failed: count('message:failed') }
  const problems: string[] = []
  if (status !== 'completed' && status !== 'failed') problems.push(`${id} is ${status} in the end`)
  else if (ends.completed + ends.failed !== 1 || ends[status] !== 1) {
    problems.push(`${id} is ${status}, and the journal has it end ${JSON.stringify(ends)}`)
  }
  if (count('message:accepted') !== 1) problems.push(`${id} was accepted ${count('message:accepted')} times`)
  return problems
}

function checkReplies(plan: CrashPlan, message: FinalMessage, replies: readonly FinalReply[]): string[] {
  const mine = replies.filter((reply) => reply.inReplyTo === message.id)
  const said = mine.filter((reply) => reply.epoch !== null)
  const told = mine.length - said.length
  const sent = plan.lives.flatMap((life) => life.messages).find(({ id }) => id === message.id)
  const problems = said
    .filter((reply) => reply.content !== JSON.stringify({ text: `echo: ${sent?.text}` }))
    .map((reply) => `${message.id} got ${reply.content} for an answer`)
  const isWornOut = message.failure === 'TRIES_EXHAUSTED'
  if (message.status === 'completed' && said.length !== 1) {
    problems.push(`${message.id} is completed with ${said.length} replies`)
  }
  // A message ended by a person may have been answered just before.
  if (said.length > (isWornOut ? 0 : 1)) problems.push(`${message.id} has ${said.length} replies and failed`)
  if (told !== (isWornOut ? 1 : 0))
    problems.push(`of ${message.id} (${message.failure}) the user was told ${told} times`)
  if (message.isDead !== isWornOut)
    problems.push(`${message.id} (${message.failure}) is dead letter: ${message.isDead}`)
  return problems
}

function checkSums({ journal, messages, integrity, liveRuns }: Evidence): string[] {
  const count = (type: JournalRecord['type']) => journal.filter((line) => line.type === type).length
  const ended = count('message:completed') + count('message:failed')
  const problems: string[] = []
  if (count('message:accepted') !== messages.length) problems.push('journal and messages differ in what was accepted')
  if (ended !== messages.length) problems.push(`${messages.length} accepted, but ${ended} ended`)
  if (integrity !== 'ok') problems.push(`store.db: ${integrity}`)
  if (liveRuns !== 0) problems.push(`${liveRuns} runs are not gone`)
  return problems
}
