import { PROTOCOL_LIMITS } from '@sessiond/protocol'

const CUT_NOTE = '\n[cut: the reply was longer than a message may be]'

/** The content of a reply, cut where it would exceed the protocol's bound; cut text says so. */
export function replyContent(text: string, maxBytes: number = PROTOCOL_LIMITS.contentBytes): string {
  const content = JSON.stringify({ text })
  if (Buffer.byteLength(content) <= maxBytes) return content
  // JSON may write one character as six, so the longest prefix that fits is searched for, not computed.
  let fits = 0
  let tooLong = text.length
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2)
    if (Buffer.byteLength(cutAt(text, middle)) <= maxBytes) fits = middle
    else tooLong = middle
  }
  return cutAt(text, fits)
}

function cutAt(text: string, chars: number): string {
  return JSON.stringify({ text: text.slice(0, chars) + CUT_NOTE })
}
