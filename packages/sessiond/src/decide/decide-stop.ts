/** How far a stop has come, as ages on the host's monotonic clock. */
export interface StopProgress {
  readonly sinceIntentMs: number
  /** Null: SIGKILL not sent yet. */
  readonly sinceKillMs: number | null
}

export interface StopPolicy {
  readonly stopGraceMs: number
  readonly killWaitMs: number
}

export type StopDecision =
  | { readonly action: 'wait'; readonly recheckInMs: number }
  | { readonly action: 'kill' }
  | { readonly action: 'quarantine' }

/** SIGTERM, grace, SIGKILL, then wait until gone; what will not die quarantines its session. */
export function decideStop(progress: StopProgress, policy: StopPolicy): StopDecision {
  if (progress.sinceKillMs === null) {
    const leftMs = policy.stopGraceMs - progress.sinceIntentMs
    return leftMs > 0 ? { action: 'wait', recheckInMs: leftMs } : { action: 'kill' }
  }
  const leftMs = policy.killWaitMs - progress.sinceKillMs
  return leftMs > 0 ? { action: 'wait', recheckInMs: leftMs } : { action: 'quarantine' }
}
