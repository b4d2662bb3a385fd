import { PROTOCOL_LIMITS } from './limits.ts'

/**
 * Why a run that takes no step may still be well. `agent`: its handler says nothing of what it does. `request`: a model
 * was asked and has not begun to answer. `stream`: its answer comes. `retry`, `rate-limit`, `outage`: the provider said
 * not now.
 */
export const WAIT_REASONS = ['agent', 'request', 'stream', 'retry', 'rate-limit', 'outage'] as const
export type WaitReason = (typeof WAIT_REASONS)[number]

/** A tool in flight. */
export interface OpenTool {
  /** Tells tools of one run apart; never reused in it. */
  readonly id: number
  readonly name: string
  /** How long it may be silent, as declared when it started or was last renewed; null: nothing declared. */
  readonly timeoutMs: number | null
  /** How long it usually takes; null: not known. */
  readonly expectedMs: number | null
  /** Nobody waits for it: its turn goes on without it. */
  readonly isBackground: boolean
  /** Grows each time its lease begins anew. */
  readonly renewals: number
}

/** What the agent waits for that is no tool of its own. */
export interface OpenWait {
  /** Grows with every wait and every time one is stated anew. */
  readonly seq: number
  readonly reason: WaitReason
  /** How much longer it will take, counted from when it was stated; null: not known. Never an instant of a clock. */
  readonly forMs: number | null
  /** Keep-alives of the other side so far: they prove the connection, and no progress. */
  readonly pings: number
}

/** `container_state.open_work`: what makes silence legitimate. */
export interface OpenWork {
  /** Oldest first. */
  readonly tools: readonly OpenTool[]
  readonly wait: OpenWait | null
}

/** No declared time counts for more; policies clamp further. */
const MAX_MS = 8 * 24 * 60 * 60 * 1000

/** The column's text. Of tools beyond the bound those in the background are left out first, then the oldest. */
export function formatOpenWork({ tools, wait }: OpenWork): string {
  return JSON.stringify({ tools: withinBound(tools), wait })
}

/** Reads the column as hostile text: clamps figures, leaves out what is no tool; null for anything that is no open work. */
export function parseOpenWork(text: string | null): OpenWork | null {
  if (text === null || text.length > PROTOCOL_LIMITS.openWorkChars) return null
  const value = parseJson(text)
  if (!isRecord(value) || !Array.isArray(value.tools)) return null
  const tools = value.tools.map(parseTool).filter((tool) => tool !== null)
  return { tools: withinBound(tools), wait: parseWait(value.wait) }
}

/** Nobody's silence is made legitimate by a tool in the background, while a tool around others carries their lease. */
function withinBound(tools: readonly OpenTool[]): readonly OpenTool[] {
  const inBackground = tools.filter((tool) => tool.isBackground)
  const awaited = tools.filter((tool) => !tool.isBackground)
  const excess = Math.max(0, tools.length - PROTOCOL_LIMITS.openTools)
  const leftOut = new Set([...inBackground, ...awaited].slice(0, excess))
  return tools.filter((tool) => !leftOut.has(tool))
}

function parseTool(value: unknown): OpenTool | null {
  if (!isRecord(value) || typeof value.name !== 'string') return null
  const id = wholeNumber(value.id)
  if (id === null) return null
  return {
    id,
    name: value.name.replaceAll('\0', '').slice(0, PROTOCOL_LIMITS.toolNameChars),
    timeoutMs: wholeNumber(value.timeoutMs, MAX_MS),
    expectedMs: wholeNumber(value.expectedMs, MAX_MS),
    isBackground: value.isBackground === true,
    renewals: wholeNumber(value.renewals) ?? 0,
  }
}

function parseWait(value: unknown): OpenWait | null {
  if (!isRecord(value)) return null
  const reason = WAIT_REASONS.find((known) => known === value.reason)
  const seq = wholeNumber(value.seq)
  if (reason === undefined || seq === null) return null
  return { seq, reason, forMs: wholeNumber(value.forMs, MAX_MS), pings: wholeNumber(value.pings) ?? 0 }
}

function wholeNumber(value: unknown, max = Number.MAX_SAFE_INTEGER): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return null
  return Math.round(Math.min(Math.max(value, 0), max))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
