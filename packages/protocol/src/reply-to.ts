import { oneLine } from './one-line.ts'

/** What a message answers, as whoever wrote it saw it: one line each, harmless and bounded. */
export interface ReplyTo {
  /** Null: not said. */
  readonly sender: string | null
  readonly text: string
}

const SENDER_CHARS = 80
const TEXT_CHARS = 300

/** Reads `replyTo` of a message's content; null for none, and for anything that quotes nothing. */
export function parseReplyTo(content: unknown): ReplyTo | null {
  const replyTo = fieldOf(content, 'replyTo')
  const text = lineOf(fieldOf(replyTo, 'text'), TEXT_CHARS)
  return text === null ? null : { sender: lineOf(fieldOf(replyTo, 'sender'), SENDER_CHARS), text }
}

/** The same as a quoted line: `> Anna: shall we go?`. */
export function tellReplyTo({ sender, text }: ReplyTo): string {
  return sender === null ? `> ${text}` : `> ${sender}: ${text}`
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return Reflect.get(value, name)
}

function lineOf(value: unknown, maxChars: number): string | null {
  if (typeof value !== 'string') return null
  const line = oneLine(value, maxChars)
  return line === '' || line === '…' ? null : line
}
