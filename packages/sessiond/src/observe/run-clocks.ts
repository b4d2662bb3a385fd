import type { OpenTool, OpenWait } from '@sessiond/protocol'
import type { LivenessObservation, ToolClock } from '../decide/decide-liveness.ts'
import { ActivityMeter, type ActivitySample } from './activity-meter.ts'

/** One clock of a run was seen to move. Live runs and recordings are told in these, and judged by the same code. */
export type ClockMove =
  | { readonly clock: 'beat' | 'progress' | 'ping' }
  | { readonly clock: 'claim' | 'claim-end'; readonly messageId: string }
  | { readonly clock: 'tool'; readonly tool: OpenTool }
  | { readonly clock: 'tool-end'; readonly id: number }
  | { readonly clock: 'wait'; readonly wait: Pick<OpenWait, 'reason' | 'forMs'> }
  | { readonly clock: 'wait-end' }
  | { readonly clock: 'activity'; readonly sample: ActivitySample }

interface StatedWait {
  readonly stated: Pick<OpenWait, 'reason' | 'forMs'>
  readonly atMs: number
  pingAtMs: number | null
}

/** What the clocks cannot know of themselves. */
export type RunCircumstances = Pick<LivenessObservation, 'seen' | 'tries' | 'unheededForMs' | 'idleForMs'>

/**
 * When this host saw each clock of one run move, on its own monotonic clock; never what a clock said. A restart loses
 * it on purpose: every run then gets a full window (invariant 11). Times given to it never go back.
 */
export class RunClocks {
  #watchedSinceMs: number
  /** Time the host stood still since then, in which nothing could be seen to move. */
  #missedMs = 0
  #beatAtMs: number | null = null
  #progressAtMs: number | null = null
  readonly #claims = new Map<string, number>()
  readonly #tools = new Map<number, { readonly tool: OpenTool; readonly atMs: number }>()
  #wait: StatedWait | null = null
  readonly #activity = new ActivityMeter()

  constructor(monotonicMs: number) {
    this.#watchedSinceMs = monotonicMs
  }

  note(move: ClockMove, monotonicMs: number): void {
    const atMs = this.#awake(monotonicMs)
    switch (move.clock) {
      case 'beat':
        this.#beatAtMs = atMs
        break
      case 'progress':
        this.#progressAtMs = atMs
        break
      case 'claim':
        if (!this.#claims.has(move.messageId)) this.#claims.set(move.messageId, atMs)
        break
      case 'claim-end':
        this.#claims.delete(move.messageId)
        break
      case 'tool':
        this.#tools.set(move.tool.id, { tool: move.tool, atMs })
        break
      case 'tool-end':
        this.#tools.delete(move.id)
        break
      case 'ping':
        if (this.#wait !== null) this.#wait.pingAtMs = atMs
        break
      case 'wait':
        this.#wait = this.#waitFrom(move.wait, atMs)
        break
      case 'wait-end':
        this.#wait = null
        break
      case 'activity':
        this.#activity.note(move.sample, atMs)
        break
    }
  }

  /** The host stood still for so long: no age counts it. */
  skip(stalledMs: number, monotonicMs: number): void {
    this.#missedMs += stalledMs
    const atMs = this.#awake(monotonicMs)
    // What was noted on waking, before anybody knew of the stall, would lie ahead by it and look young for as long.
    const clamp = (momentMs: number) => Math.min(momentMs, atMs)
    this.#watchedSinceMs = clamp(this.#watchedSinceMs)
    if (this.#beatAtMs !== null) this.#beatAtMs = clamp(this.#beatAtMs)
    if (this.#progressAtMs !== null) this.#progressAtMs = clamp(this.#progressAtMs)
    for (const [id, claimedAtMs] of this.#claims) this.#claims.set(id, clamp(claimedAtMs))
    for (const [id, open] of this.#tools) this.#tools.set(id, { ...open, atMs: clamp(open.atMs) })
    if (this.#wait !== null) this.#wait = { ...this.#wait, atMs: clamp(this.#wait.atMs) }
    if (this.#wait?.pingAtMs != null) this.#wait.pingAtMs = clamp(this.#wait.pingAtMs)
    this.#activity.clamp(atMs)
  }

  /** The host was away: every run gets a full window from here on. */
  restart(monotonicMs: number): void {
    const atMs = this.#awake(monotonicMs)
    this.#watchedSinceMs = monotonicMs - this.#missedMs
    this.#activity.restart(atMs)
  }

  observe(monotonicMs: number, circumstances: RunCircumstances): LivenessObservation {
    const atMs = this.#awake(monotonicMs)
    const since = (momentMs: number | null) => (momentMs === null ? null : atMs - momentMs)
    return {
      ...circumstances,
      watchedForMs: atMs - this.#watchedSinceMs,
      beatAgeMs: since(this.#beatAtMs),
      progressAgeMs: since(this.#progressAtMs),
      activityAgeMs: since(this.#activity.activeAtMs(atMs)),
      claims: [...this.#claims].map(([messageId, claimedAtMs]) => ({ messageId, ageMs: atMs - claimedAtMs })),
      tools: [...this.#tools.values()].map(({ tool, atMs: startedAtMs }) => toolClock(tool, atMs - startedAtMs)),
      wait:
        this.#wait === null
          ? null
          : { ...this.#wait.stated, ageMs: atMs - this.#wait.atMs, pingAgeMs: since(this.#wait.pingAtMs) },
    }
  }

  /**
   * Asking anew is the agent's own doing: of the other side nothing was heard, so its silence goes on, but for the pause.
   * A limit or an outage is an answer.
   */
  #waitFrom(stated: Pick<OpenWait, 'reason' | 'forMs'>, atMs: number): StatedWait {
    const before = this.#wait
    if (stated.reason !== 'retry' || before === null) return { stated, atMs, pingAtMs: null }
    const forMs = (before.stated.forMs ?? 0) + (stated.forMs ?? 0)
    return { ...before, stated: { reason: 'retry', forMs } }
  }

  #awake(monotonicMs: number): number {
    return monotonicMs - this.#missedMs
  }
}

function toolClock({ name, timeoutMs, expectedMs, isBackground }: OpenTool, ageMs: number): ToolClock {
  return { name, ageMs, timeoutMs, expectedMs, isBackground }
}
