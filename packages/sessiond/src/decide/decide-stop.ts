/** How far a stop has come, as ages on the host's monotonic clock. */
export interface StopProgress {
  readonly sinceIntentMs: number
  /** Null: no SIGKILL is on record. */
  readonly sinceKillMs: number | null
  /**
   * What this host process itself has sent. An intent on record says nothing of it: whoever recorded it may have died
   * before the signal went out, or been refused.
   */
  readonly sent: 'SIGTERM' | 'SIGKILL' | null
}

export interface StopPolicy {
  readonly stopGraceMs: number
  readonly killWaitMs: number
}

export type StopDecision =
  | { readonly action: 'wait'; readonly recheckInMs: number }
  | { readonly action: 'ask' }
  | { readonly action: 'kill' }
  | { readonly action: 'quarantine' }

/** SIGTERM, grace, SIGKILL, then wait until gone; what will not die quarantines its session. */
export function decideStop(progress: StopProgress, policy: StopPolicy): StopDecision {
  if (progress.sinceKillMs === null) {
    const leftMs = policy.stopGraceMs - progress.sinceIntentMs
    if (leftMs <= 0) return { action: 'kill' }
    return progress.sent === null ? { action: 'ask' } : { action: 'wait', recheckInMs: leftMs }
  }
  const leftMs = policy.killWaitMs - progress.sinceKillMs
  if (leftMs <= 0) return { action: 'quarantine' }
  return progress.sent === 'SIGKILL' ? { action: 'wait', recheckInMs: leftMs } : { action: 'kill' }
}
