import { oneLine } from '@sessiond/protocol'

/** Enough to know which message is meant. */
const QUOTE_CHARS = 200

/** Content as JSON; text that is none is passed on as the text it is: a run, or another program, chose it. */
export function parsedOrText(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return content
  }
}

/** The `text` of content that has one. */
export function textOf(content: unknown): string | undefined {
  if (typeof content !== 'object' || content === null || !('text' in content)) return undefined
  return typeof content.text === 'string' ? content.text : undefined
}

/** The beginning of what a message says, as one line of at most 200 characters; null for one that says nothing. */
export function quoteOf(content: string): string | null {
  const line = oneLine(textOf(parsedOrText(content)) ?? '', QUOTE_CHARS)
  return line === '' ? null : line
}
