import { escapeLine } from '../../model/escape.ts'
import type { Message } from '../../model/message.ts'
import type { Reply } from '../../model/reply.ts'
import { textOfContent } from '../../model/text-of-content.ts'
import { formatTable } from './table.ts'
import { formatAge } from './time.ts'

const TEXT_CHARS = 60

/** Messages as a table, oldest first, so that the newest stands above the prompt. */
export function describeMessages(messages: readonly Message[], nowMs: number): string {
  const head = ['SEQ', 'MESSAGE', 'STATUS', 'TRIES', 'CLAIM', 'DUE', 'ENDED', 'TEXT']
  const rows = [...messages]
    .sort((a, b) => a.seq - b.seq)
    .map((each) => [
      String(each.seq),
      each.id,
      describeStatus(each),
      String(each.tries),
      each.claimEpoch === null ? '-' : `run ${each.claimEpoch}, ${formatAge(each.claimedAtMs, nowMs)}`,
      each.endedAtMs === null ? formatAge(each.processAfterMs, nowMs) : '-',
      formatAge(each.endedAtMs, nowMs),
      escapeLine(textOfContent(each.content), TEXT_CHARS),
    ])
  return formatTable(head, rows)
}

/** A message's status in words: its failure, a pending cancel, an answer that never came. */
export function describeStatus(message: Message): string {
  if (message.status === 'failed') return `failed ${message.failure ?? ''}`.trim()
  if (message.endedAtMs === null && message.cancelRequestedAtMs !== null) return `${message.status}, cancelling`
  if (message.status === 'completed' && message.trigger && !message.answered) return 'completed, no reply'
  if (message.status === 'pending' && !message.trigger) return 'pending context'
  return message.status
}

const QUOTE_CHARS = 24

/** Replies as a table, oldest first; each quotes what it answers, where that is one of `messages`. */
export function describeReplies(replies: readonly Reply[], messages: readonly Message[], nowMs: number): string {
  const head = ['REPLY', 'TO', 'WRITTEN', 'TEXT']
  const said = new Map(messages.map(({ id, content }) => [id, escapeLine(textOfContent(content), QUOTE_CHARS)]))
  const rows = [...replies]
    .sort((a, b) => a.createdAtMs - b.createdAtMs)
    .map((each) => [
      each.id,
      describeSubject(each, said),
      formatAge(each.createdAtMs, nowMs),
      escapeLine(textOfContent(each.content), TEXT_CHARS),
    ])
  return formatTable(head, rows)
}

function describeSubject({ inReplyTo, epoch }: Reply, said: ReadonlyMap<string, string>): string {
  if (inReplyTo === null) return epoch === null ? 'from the host' : '-'
  const quote = said.get(inReplyTo)
  return quote === undefined ? inReplyTo : `${inReplyTo} "${quote}"`
}
