import { formatTimestamp } from '@sessiond/protocol'
import type { Reply } from '../model/reply.ts'
import { parsedOrText, textOf } from './said.ts'

/** What a webhook is sent of a reply, as JSON text; `quote` is of the message it answers. */
export function webhookPayload(reply: Reply, quote: string | null): string {
  const content = parsedOrText(reply.content)
  const text = textOf(content)
  return JSON.stringify({
    id: reply.id,
    sessionId: reply.sessionId,
    group: reply.group,
    session: reply.sessionId.slice(reply.group.length + 1),
    epoch: reply.epoch,
    inReplyTo: reply.inReplyTo,
    quote,
    kind: reply.kind,
    ...(text === undefined ? {} : { text }),
    content,
    createdAt: formatTimestamp(reply.createdAtMs),
    ...reply.address,
  })
}
