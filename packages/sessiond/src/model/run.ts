/**
 * `starting`: intent recorded, container perhaps created. `running`: started. `stopping`: stop intent recorded.
 * `unkillable`: would not die; its session is quarantined until it does. `gone`: exit confirmed by its id.
 * "Unknown" is no state of a run but of an observation: it changes nothing.
 */
export const RUN_STATES = ['starting', 'running', 'stopping', 'unkillable', 'gone'] as const

export type RunState = (typeof RUN_STATES)[number]

/** Why the host stopped a run, or what else ended it. First cause wins and is never overwritten. */
export const RUN_ENDS = [
  'exited',
  'idle',
  'never-started',
  'frozen',
  'tool-overdue',
  'silent',
  'deaf',
  'claim-silent',
  'ceiling',
  'operator-stop',
  'cancel',
  'session-closed',
  'host-shutdown',
  'spawn-failed',
  'superseded',
] as const

export type RunEnd = (typeof RUN_ENDS)[number]

/** The host found that it was stuck: someone will ask why. */
export function isJudged(end: RunEnd): boolean {
  return JUDGED.has(end)
}

const JUDGED: ReadonlySet<RunEnd> = new Set<RunEnd>([
  'never-started',
  'frozen',
  'tool-overdue',
  'silent',
  'deaf',
  'claim-silent',
  'ceiling',
])

/** How a runtime names one container or process for ever: `id` is opaque above the adapter. */
export interface RunHandle {
  readonly runtime: string
  readonly id: string
}

/** What a runtime could say of an exit; null where it could not. */
export interface RunExit {
  readonly code: number | null
  readonly signal: string | null
  readonly oomKilled: boolean
}

/** One incarnation of a session. */
export interface Run {
  readonly sessionId: string
  readonly group: string
  readonly epoch: number
  /** Unique for ever in this install; the container's name and the label its processes carry. */
  readonly name: string
  readonly runtime: string
  readonly state: RunState
  readonly handle: RunHandle | null
  readonly intendedAtMs: number
  readonly startedAtMs: number | null
  readonly firstClaimAtMs: number | null
  /** Last start, claim or end of a message: what idleness is measured from. */
  readonly lastActiveAtMs: number
  readonly stopIntendedAtMs: number | null
  readonly killSentAtMs: number | null
  readonly end: RunEnd | null
  /** The numbers the stop was decided on; JSON-safe. */
  readonly endEvidence: Readonly<Record<string, unknown>> | null
  readonly exit: RunExit | null
  readonly endedAtMs: number | null
  /** Highest `messages_out.seq` of this run taken into the store. */
  readonly takenSeq: number
}
