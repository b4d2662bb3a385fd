import type { HostEvent } from '../../api.ts'
import { escapeLine } from '../../model/escape.ts'
import { textOfContent } from '../../model/text-of-content.ts'
import { formatInstant } from './time.ts'

const TEXT_CHARS = 200

/** One event on one line: when, what, where, and what a reply says. */
export function describeEvent(event: HostEvent): string {
  const { atMs, type, sessionId, epoch, messageId, detail, reply } = event
  const parts = [formatInstant(atMs), type, sessionId, epoch === null ? null : `run ${epoch}`, messageId]
  const details = Object.entries(detail).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  const said = reply === undefined ? [] : [`"${textOfContent(reply.content)}"`]
  return `${escapeLine([...parts.filter((part) => part !== null), ...details, ...said].join('  '), 400 + TEXT_CHARS)}\n`
}
