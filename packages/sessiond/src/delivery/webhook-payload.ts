import { formatTimestamp } from '@sessiond/protocol'
import type { Reply } from '../model/reply.ts'

/** What a webhook is sent of a reply, as JSON text. */
export function webhookPayload(reply: Reply): string {
  const content = parsedOrText(reply.content)
  const text = textOf(content)
  return JSON.stringify({
    id: reply.id,
    sessionId: reply.sessionId,
    group: reply.group,
    session: reply.sessionId.slice(reply.group.length + 1),
    epoch: reply.epoch,
    inReplyTo: reply.inReplyTo,
    kind: reply.kind,
    ...(text === undefined ? {} : { text }),
    content,
    createdAt: formatTimestamp(reply.createdAtMs),
    ...reply.address,
  })
}

/** A run chose the content: what is no JSON is passed on as the text it is. */
function parsedOrText(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return content
  }
}

function textOf(content: unknown): string | undefined {
  if (typeof content !== 'object' || content === null || !('text' in content)) return undefined
  return typeof content.text === 'string' ? content.text : undefined
}
