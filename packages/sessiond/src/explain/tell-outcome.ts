import type { JournalRecord } from '../model/journal.ts'
import { figureOf, instantWords, plain, quoteOf, wordOf } from './words.ts'

/** What one journal line says of its message; null: nothing a person would ask for. */
export function tellOutcome({ type, messageId, atMs, epoch, detail }: JournalRecord): string | null {
  const id = plain(messageId ?? '?')
  const subject = `Message ${id}`
  const when = instantWords(atMs)
  switch (type) {
    case 'message:accepted':
      return `${subject} was accepted at ${when}.`
    case 'message:claimed':
      return `${subject} was taken by run ${epoch} at ${when}.`
    case 'message:completed':
      return `${subject} was completed at ${when}${detail.answered === false ? ', without a reply' : ''}.`
    case 'message:retried':
      return tellRetry(subject, detail)
    case 'message:failed':
      return tellFailure(subject, detail, when)
    case 'message:cancelRequested':
      return `A person asked at ${when} that message ${id} end.`
    case 'message:replayed':
      return `${subject} was handed out anew by a person at ${when}.`
    default:
      return null
  }
}

function tellRetry(subject: string, detail: JournalRecord['detail']): string {
  const tries = figureOf(detail, 'tries') ?? 0
  const dueAtMs = figureOf(detail, 'processAfterMs')
  const due = dueAtMs === null ? '' : `, to be tried again from ${instantWords(dueAtMs)} on`
  const spent = tries === 1 ? '1 try is spent' : `${tries} tries are spent`
  return `${subject} was handed back (${wordOf(detail, 'because') ?? 'no reason'}): ${spent}${due}.`
}

function tellFailure(subject: string, detail: JournalRecord['detail'], when: string): string {
  const letter = detail.deadLetter === true ? ' It waits as a dead letter until someone replays or drops it.' : ''
  const error = quoteOf(detail, 'error')
  const words = error === null ? '' : ` Last error: ${error}.`
  return `${subject} ended at ${when}: ${wordOf(detail, 'failure') ?? 'failed'} (${wordOf(detail, 'because') ?? 'no reason'}).${letter}${words}`
}
