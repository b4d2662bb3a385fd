import { hasZone, isValidId, isValidName, parseTimestamp } from '@sessiond/protocol'
import type { SendRequest } from '../api.ts'
import { parseDurationMs } from '../config/duration.ts'
import { SessiondError } from '../model/errors.ts'
import type { NewMessage } from '../model/message.ts'
import { sessionIdOf } from '../model/session.ts'
import { BREATH_MS, MAX_AHEAD_MS } from '../when/when.ts'

export interface SendRules {
  readonly groups: { has(name: string): boolean; keys(): Iterable<string> }
  readonly textBytes: number
}

/**
 * Checks a send request and completes it to a message. Throws the SessiondError of the first wrong field; nothing has
 * been written by then.
 */
export function parseSend(request: SendRequest, rules: SendRules, nowMs: number, newId: () => string): NewMessage {
  const group = checkGroup(request.group, rules)
  const session = checkSessionName(request.session ?? 'main')
  const text = checkText(request.text, rules.textBytes)
  return {
    id: request.id === undefined ? newId() : checkId(request.id),
    sessionId: sessionIdOf(group, session),
    group,
    kind: request.kind ?? 'chat',
    content: JSON.stringify({ text }),
    processAfterMs: request.after === undefined ? nowMs : parseAfter(request.after, nowMs),
    trigger: request.context !== true,
    onWake: false,
    address: {
      platformId: request.platformId ?? null,
      channelType: request.channelType ?? null,
      threadId: request.threadId ?? null,
    },
    sourceSessionId: null,
    seriesId: null,
  }
}

export function checkGroup(group: string, rules: SendRules): string {
  if (rules.groups.has(group)) return group
  const known = [...rules.groups.keys()].slice(0, 20).join(', ')
  throw new SessiondError('GROUP_UNKNOWN', `Group ${quote(group)} is not configured (there is: ${known}).`, {
    fields: { field: 'group', group: clip(group) },
  })
}

export function checkSessionName(name: string): string {
  if (isValidName(name)) return name
  throw new SessiondError('SESSION_NAME_INVALID', `Session name ${quote(name)} is not allowed.`, {
    fields: { field: 'session', session: clip(name) },
  })
}

export function checkId(id: string): string {
  if (isValidId(id)) return id
  throw new SessiondError('MESSAGE_ID_INVALID', `Message id ${quote(id)} is not allowed.`, {
    fields: { field: 'id', id: clip(id) },
  })
}

export function checkText(text: string, maxBytes: number): string {
  if (text.trim() === '') throw new SessiondError('TEXT_EMPTY', 'The text is empty.', { fields: { field: 'text' } })
  // A lone surrogate has no UTF-8 form: it would reach the agent as another text than was sent.
  if (!text.isWellFormed()) {
    throw new SessiondError('TEXT_NOT_UTF8', 'The text is not valid Unicode.', { fields: { field: 'text' } })
  }
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxBytes) return text
  throw new SessiondError('TEXT_TOO_LARGE', `The text has ${bytes} bytes; at most ${maxBytes} are taken.`, {
    fields: { field: 'text', bytes, maxBytes },
  })
}

/** Reads `--after`: an instant with its zone, or a span from now. Throws TIME_*. */
export function parseAfter(after: string, nowMs: number): number {
  const fields = { field: 'after', after: clip(after) }
  const spanMs = parseDurationMs(after)
  const atMs = spanMs === undefined ? parseTimestamp(after) : nowMs + spanMs
  if (atMs === undefined) throw new SessiondError('TIME_INVALID', `${quote(after)} is no time.`, { fields })
  if (spanMs === undefined && !hasZone(after)) {
    throw new SessiondError('TIME_WITHOUT_ZONE', `${quote(after)} does not say in which zone.`, { fields })
  }
  if (atMs < nowMs - BREATH_MS) {
    throw new SessiondError('TIME_IN_PAST', `${quote(after)} is past.`, { fields: { ...fields, atMs, nowMs } })
  }
  if (atMs > nowMs + MAX_AHEAD_MS) {
    throw new SessiondError('TIME_TOO_FAR', `${quote(after)} is too far ahead.`, { fields: { ...fields, atMs } })
  }
  return Math.max(atMs, nowMs)
}

/** Hostile or mistyped input is shown escaped and short, never raw. */
function quote(text: string): string {
  return JSON.stringify(clip(text))
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
