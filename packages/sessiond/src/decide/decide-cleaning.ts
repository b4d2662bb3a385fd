import type { CleaningPolicy } from '../model/retention.ts'
import { backoffMs } from './backoff.ts'

/** Why a cleaning begins. */
export type CleaningCause = 'due' | 'left-over' | 'high-water'

/** What the next cleaning is decided on. Spans are of the monotonic clock, so that no step of the wall clock moves them. */
export interface CleaningFacts {
  /** Wall clock. */
  readonly nowMs: number
  /** Wall clock, durable: when a cleaning last came to an end; null: none has, as far as is known. */
  readonly lastEndedAtMs: number | null
  /** Since the last cleaning of this process ended, in whatever way; null: there was none. */
  readonly restedMs: number | null
  /** Since the wall clock was seen to have leapt ahead; null: it has not. */
  readonly leaptAheadMs: number | null
  /** The last one left something for the next. */
  readonly isLeftOver: boolean
  /** The last one was brought by the high-water mark and gave nothing back. */
  readonly wasInVain: boolean
  /** Cleanings that failed in a row. */
  readonly failures: number
  /** Null: the disk cannot be asked. */
  readonly usedShare: number | null
}

export type CleaningDecision =
  | { readonly action: 'wait'; readonly because: 'not-due' | 'failed' | 'resting' | 'switched-off' | 'clock-leapt' }
  | { readonly action: 'clean'; readonly because: CleaningCause }

/** After a failure: a minute, doubling up to an hour. */
const AFTER_FAILURE = { baseMs: 60_000, maxMs: 3_600_000 }
/** Between a cleaning that ran out of its time and the one that goes on, as a multiple of that time. */
const RESTS = 5
/** A full disk on which there is nothing to clean is not gone through again before. */
const IN_VAIN_MS = 10 * 60_000

/** To a clock that was set wrong everything is old; whoever sets it right gets so long. A suspend looks the same. */
const CLOCK_DOUBT_MS = 3_600_000

/** Decides whether a cleaning begins now. */
export function decideCleaning(facts: CleaningFacts, policy: CleaningPolicy): CleaningDecision {
  const { failures, restedMs, usedShare, leaptAheadMs } = facts
  if (leaptAheadMs !== null && leaptAheadMs < CLOCK_DOUBT_MS) return { action: 'wait', because: 'clock-leapt' }
  const hasRested = (ms: number) => restedMs === null || restedMs >= ms
  if (failures > 0 && !hasRested(backoffMs(AFTER_FAILURE, failures - 1, 0)))
    return { action: 'wait', because: 'failed' }
  const isFull = usedShare !== null && policy.highWaterShare !== null && usedShare >= policy.highWaterShare
  if (isFull && hasRested(facts.wasInVain ? IN_VAIN_MS : 0)) return { action: 'clean', because: 'high-water' }
  if (policy.everyMs === null) return { action: 'wait', because: 'switched-off' }
  // Whatever brought the one that failed: only one that works ends the outage.
  if (failures > 0) return { action: 'clean', because: 'due' }
  if (facts.isLeftOver) {
    const restMs = Math.min(RESTS * policy.budgetMs, policy.everyMs)
    return hasRested(restMs) ? { action: 'clean', because: 'left-over' } : { action: 'wait', because: 'resting' }
  }
  return isDue(facts, policy.everyMs) ? { action: 'clean', because: 'due' } : { action: 'wait', because: 'not-due' }
}

/** An end that lies ahead of the clock says only that the clock was set back: it must not put the next one off. */
function isDue({ nowMs, lastEndedAtMs }: CleaningFacts, everyMs: number): boolean {
  return lastEndedAtMs === null || lastEndedAtMs > nowMs || nowMs - lastEndedAtMs >= everyMs
}
