import type { OccurrenceOutcome, Series } from '../model/series.ts'
import { backoffMs } from './backoff.ts'

/** After the first failure too many it does not fire for an hour, then for two, four … at most a day. */
const BACK_OFF = { baseMs: 3_600_000, maxMs: 86_400_000 }

export interface OccurrenceEnd {
  readonly outcome: Exclude<OccurrenceOutcome, 'live' | 'merged' | 'expired'>
  readonly because: string
  readonly changes: Partial<Series>
  /** What its user is told; null: nothing. */
  readonly tell: string | null
}

/** Decides what the end of an occurrence's message means to its series. Whatever it is, the series goes on (E1). */
export function decideOccurrenceEnd(
  series: Series,
  message: {
    readonly status: 'completed' | 'failed'
    readonly failure: string | null
    readonly wasClaimed: boolean
    readonly origin: string
  },
  nowMs: number,
): OccurrenceEnd {
  const liveUntil = { liveUntilMs: Math.max(nowMs, series.liveUntilMs) }
  if (message.status === 'completed') {
    return { outcome: 'ran', because: 'completed', changes: { ...liveUntil, failuresInARow: 0 }, tell: null }
  }
  if (message.failure !== 'TRIES_EXHAUSTED') {
    const because = message.failure === 'SESSION_CLOSED' ? 'session-closed' : 'cancelled'
    return { outcome: message.wasClaimed ? 'ran' : 'skipped', because, changes: liveUntil, tell: null }
  }
  const failed = { ...liveUntil, failuresInARow: series.failuresInARow + 1 }
  return { outcome: 'ran', because: 'failed', ...afterFailure(series, failed, nowMs) }
}

/** E16: a broken job backs off, and in the end stops and says so. */
function afterFailure(
  series: Series,
  failed: { readonly liveUntilMs: number; readonly failuresInARow: number },
  nowMs: number,
): Pick<OccurrenceEnd, 'changes' | 'tell'> {
  const { backOffAfterFailures, pauseAfterFailures } = series.plan
  const { failuresInARow } = failed
  if (series.state === 'active' && pauseAfterFailures !== null && failuresInARow >= pauseAfterFailures) {
    const because = `it failed ${failuresInARow} times in a row`
    const tell = `Task ${series.id} is paused: ${because}. Resume it once the cause is mended.`
    return { changes: { ...failed, state: 'paused', because, nextAtMs: null }, tell }
  }
  if (backOffAfterFailures === null || failuresInARow < backOffAfterFailures) return { changes: failed, tell: null }
  const heldUntilMs = nowMs + backoffMs(BACK_OFF, failuresInARow - backOffAfterFailures, 0)
  return { changes: { ...failed, heldUntilMs, heldFor: 'backing-off' }, tell: null }
}
