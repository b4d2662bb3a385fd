import { isValidId, type MessageKind, PROTOCOL_LIMITS, parseTimestamp } from '@sessiond/protocol'
import type { SeenReply } from './mailbox.ts'
import { exactInteger, type Parsed, plainText, type Row } from './parsed.ts'

/** JSON nested deeper makes recursive readers of it overflow their stack. */
const MAX_DEPTH = 100

/** Checks one row of `messages_out`, the content's size bound included. */
export function parseReply(seq: number, row: Row | undefined): Parsed<SeenReply> {
  const id = plainText(row?.id)
  if (row === undefined || id === null || !isValidId(id)) return { because: 'an invalid id' }
  const content = parseContent(row.content)
  if ('because' in content) return content
  const inReplyTo = plainText(row.in_reply_to)
  return {
    value: {
      id,
      seq,
      epoch: exactInteger(row.epoch),
      inReplyTo: inReplyTo !== null && isValidId(inReplyTo) ? inReplyTo : null,
      kind: kindOf(row.kind),
      content: content.value,
      deliverAfterMs: parseTimestamp(row.deliver_after) ?? null,
      address: {
        platformId: plainText(row.platform_id),
        channelType: plainText(row.channel_type),
        threadId: plainText(row.thread_id),
      },
    },
  }
}

/** The JSON text of an object: as it stands, or what was written as plain text, wrapped. */
function parseContent(raw: Row[string] | undefined): Parsed<string> {
  if (typeof raw !== 'string') return { because: 'content that is no text' }
  const content = isJsonObject(raw) ? raw : JSON.stringify({ text: raw })
  if (Buffer.byteLength(content) > PROTOCOL_LIMITS.contentBytes) return { because: 'content over the size bound' }
  if (depthOf(content) > MAX_DEPTH) return { because: `content nested deeper than ${MAX_DEPTH}` }
  return { value: content }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    // Not JSON: it is what the agent wants to say, as it stands.
    return false
  }
}

/** Deepest nesting of valid JSON text. */
function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  let isInString = false
  for (let index = 0; index < json.length; index += 1) {
    const char = json.charCodeAt(index)
    if (isInString) {
      if (char === BACKSLASH) index += 1
      else if (char === QUOTE) isInString = false
    } else if (char === QUOTE) isInString = true
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) deepest = Math.max(deepest, ++depth)
    else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth -= 1
  }
  return deepest
}

const QUOTE = 34
const BACKSLASH = 92
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/** Other runners know more kinds; what they say to people is chat. */
function kindOf(value: unknown): MessageKind {
  return value === 'task' || value === 'system' ? value : 'chat'
}
