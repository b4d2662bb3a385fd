import type { Step } from '@sessiond/runner/internal'
import type { BoundaryName } from './boundaries.ts'

/** Where a host kills itself: the nth time it passes one boundary, or the nth boundary of any name. */
export interface HostDeath {
  readonly at: BoundaryName | 'any'
  readonly nth: number
}

export interface PlannedMessage {
  readonly id: string
  /** Name of its session within the group. */
  readonly session: string
  readonly text: string
}

/** What a person does, right after the first event of a kind in a session. */
export interface PlannedAction {
  readonly kind: 'cancel' | 'stop' | 'close'
  readonly session: string
  readonly after: 'message:accepted' | 'message:claimed'
}

/** One host process, from its start to its end. */
export interface Life {
  readonly death: HostDeath | null
  /** The agent's program is missing: every start fails. */
  readonly isStartBroken: boolean
  readonly messages: readonly PlannedMessage[]
  readonly actions: readonly PlannedAction[]
  /** What ends it if it has not died by the time nothing is left to do. */
  readonly end: 'stop' | 'kill'
}

/** How the runs of a case behave. */
export interface AgentPlan {
  /** `reply`: the reply is on disk before the acknowledgement; `return`: both in one transaction. */
  readonly mode: 'reply' | 'return'
  readonly per: 'message' | 'batch'
  readonly workMs: number
  /** Has the host make a series, before it works. */
  readonly asks: boolean
  /** Ends by SIGKILL alone. */
  readonly ignoresSigterm: boolean
  /** Where runs die, and how many of each session's do; null: none. */
  readonly death: { readonly step: Step; readonly nth: number; readonly times: number } | null
}

/** A whole case, made of its seed alone. */
export interface CrashPlan {
  readonly seed: number
  readonly agent: AgentPlan
  readonly hasSink: boolean
  readonly maxTries: number
  readonly stopGraceMs: number
  readonly idleStopMs: number
  /** False: a message whose send was not acknowledged is not sent again. */
  readonly sendsAgain: boolean
  /** The last one lives, finishes everything and stops cleanly. */
  readonly lives: readonly Life[]
}
