import { WAIT_REASONS, type WaitReason } from './open-work.ts'

/**
 * A line of a recording, one JSON object each, ordered by `t`: milliseconds since the recording began. Kinds a reader
 * does not know are skipped.
 */
export type RecordingLine = { readonly t: number } & RecordedMove

export type RecordedMove =
  | {
      readonly kind: 'meta'
      readonly trace: string
      readonly about: string
      readonly agent: string
      /** False: nobody has said when it was stuck, if it was. Missing: a `label` says so, or it never was. */
      readonly labelled?: boolean
    }
  | { readonly kind: 'claim' | 'done'; readonly message: string }
  | { readonly kind: 'beat' }
  /** Raw, `type/subtype`: what it means is the reader's to say. */
  | { readonly kind: 'sdk-event'; readonly event: string }
  | { readonly kind: 'sdk-hook'; readonly hook: string }
  /** What the host saw of a run whose events it does not get: the clock moved. */
  | { readonly kind: 'progress' | 'ping' }
  | {
      readonly kind: 'tool-start'
      /** Missing: told apart by name. */
      readonly id?: number
      readonly tool: string
      readonly timeoutMs: number | null
      readonly expectedMs?: number | null
      readonly background?: boolean
    }
  | { readonly kind: 'tool-renew'; readonly id: number; readonly timeoutMs: number | null }
  | { readonly kind: 'tool-end'; readonly id?: number; readonly tool: string; readonly ok?: boolean }
  | { readonly kind: 'stderr'; readonly bytes: number }
  /** `untilMs` on the recording's own clock. */
  | { readonly kind: 'model-wait'; readonly reason: WaitReason; readonly untilMs: number | null }
  | { readonly kind: 'model-wait-end' }
  | { readonly kind: 'activity'; readonly cpuMs: number; readonly ioBytes: number; readonly processes: number }
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: string | null }
  /** The host slept from `t`. */
  | { readonly kind: 'host-suspend'; readonly forMs: number }
  | { readonly kind: 'server-request'; readonly n: number; readonly stream: boolean }
  /** From here on killing the run is right; before, and where there is no label, it is wrong. */
  | { readonly kind: 'label'; readonly stuck: boolean; readonly dead?: boolean }
  | { readonly kind: 'end'; readonly why: string }

export type RecordingKind = RecordedMove['kind']

/** What one line may hold; more is no recording of ours. */
const MAX_LINE_CHARS = 64 * 1024

/** One line as read; null: a kind this version does not know. Throws a SyntaxError that says what is wrong. */
export function parseRecordingLine(text: string): RecordingLine | null {
  if (text.length > MAX_LINE_CHARS) throw new SyntaxError(`is longer than ${MAX_LINE_CHARS} characters`)
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('is no JSON object')
  const line = value as Readonly<Record<string, unknown>>
  const { t, kind } = line
  if (typeof t !== 'number' || !Number.isFinite(t) || t < 0) throw new SyntaxError('t is no time in ms')
  if (typeof kind !== 'string') throw new SyntaxError('kind is missing')
  const move = parseMove(kind, line)
  return move === null ? null : { t, ...move }
}

type Fields = Readonly<Record<string, unknown>>

function parseMove(kind: string, line: Fields): RecordedMove | null {
  switch (kind) {
    case 'meta':
      return {
        kind,
        trace: textOr(line, 'trace', ''),
        about: textOr(line, 'about', ''),
        agent: textOr(line, 'agent', ''),
        ...(line.labelled === false ? { labelled: false } : {}),
      }
    case 'claim':
    case 'done':
      return { kind, message: textOr(line, 'message', '') }
    case 'beat':
    case 'progress':
    case 'ping':
    case 'model-wait-end':
      return { kind }
    case 'sdk-event':
      return { kind, event: text(line, 'event') }
    case 'sdk-hook':
      return { kind, hook: text(line, 'hook') }
    case 'stderr':
      return { kind, bytes: number(line, 'bytes') }
    case 'model-wait':
      return { kind, reason: waitReason(line), untilMs: numberOrNull(line, 'untilMs') }
    case 'activity':
      return {
        kind,
        cpuMs: number(line, 'cpuMs'),
        ioBytes: number(line, 'ioBytes'),
        processes: numberOrNull(line, 'processes') ?? 0,
      }
    case 'exit':
      return { kind, code: numberOrNull(line, 'code'), signal: typeof line.signal === 'string' ? line.signal : null }
    case 'host-suspend':
      return { kind, forMs: number(line, 'forMs') }
    case 'server-request':
      return { kind, n: number(line, 'n'), stream: line.stream === true }
    case 'label':
      return { kind, stuck: line.stuck === true, ...(line.dead === undefined ? {} : { dead: line.dead === true }) }
    case 'end':
      return { kind, why: textOr(line, 'why', '') }
    default:
      return parseToolMove(kind, line)
  }
}

function parseToolMove(kind: string, line: Fields): RecordedMove | null {
  const id = numberOrNull(line, 'id')
  const named = id === null ? {} : { id }
  switch (kind) {
    case 'tool-start':
      return {
        kind,
        ...named,
        tool: text(line, 'tool'),
        timeoutMs: numberOrNull(line, 'timeoutMs'),
        expectedMs: numberOrNull(line, 'expectedMs'),
        background: line.background === true,
      }
    case 'tool-renew':
      return { kind, id: number(line, 'id'), timeoutMs: numberOrNull(line, 'timeoutMs') }
    case 'tool-end':
      return { kind, ...named, tool: text(line, 'tool'), ok: line.ok !== false }
    default:
      return null
  }
}

/** A reason nobody knows is a wait all the same. */
function waitReason(line: Fields): WaitReason {
  const given = textOr(line, 'reason', '').replaceAll('_', '-')
  return WAIT_REASONS.find((reason) => reason === given) ?? 'retry'
}

function text(line: Fields, field: string): string {
  const value = line[field]
  if (typeof value !== 'string') throw new SyntaxError(`${field} is no text`)
  return value
}

function textOr(line: Fields, field: string, missing: string): string {
  return typeof line[field] === 'string' ? text(line, field) : missing
}

function number(line: Fields, field: string): number {
  const value = numberOrNull(line, field)
  if (value === null) throw new SyntaxError(`${field} is no number`)
  return value
}

function numberOrNull(line: Fields, field: string): number | null {
  const value = line[field]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
