import type { CleaningPolicy } from '../model/retention.ts'
import { backoffMs } from './backoff.ts'
import type { Pressure } from './decide-under-pressure.ts'

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
  /** Those of the high-water mark in a row after which the disk was still at the mark. */
  readonly vainInARow: number
  /** Cleanings that failed in a row. */
  readonly failures: number
  /** Null: the disk cannot be asked. */
  readonly usedShare: number | null
  /** There is so little room that new work is about to be refused. */
  readonly isNearFloor: boolean
}

export type CleaningDecision =
  | { readonly action: 'wait'; readonly because: 'not-due' | 'failed' | 'resting' | 'switched-off' | 'clock-leapt' }
  | { readonly action: 'clean'; readonly because: CleaningCause }

/** After a failure: a minute, doubling up to an hour. */
const AFTER_FAILURE = { baseMs: 60_000, maxMs: 3_600_000 }
/** Between a cleaning that ran out of its time and the one that goes on, as a multiple of that time. */
const RESTS = 5
/** A full disk on which there is nothing to clean is gone through ever less often: others fill it. */
const IN_VAIN = { baseMs: 10 * 60_000, maxMs: 6 * 3_600_000 }

/** To a clock that was set wrong everything is old; whoever sets it right gets so long. A suspend looks the same. */
const CLOCK_DOUBT_MS = 3_600_000

/** Decides whether a cleaning begins now. */
export function decideCleaning(facts: CleaningFacts, policy: CleaningPolicy): CleaningDecision {
  const { failures, restedMs, usedShare, leaptAheadMs } = facts
  if (leaptAheadMs !== null && leaptAheadMs < CLOCK_DOUBT_MS) return { action: 'wait', because: 'clock-leapt' }
  const hasRested = (ms: number) => restedMs === null || restedMs >= ms
  if (failures > 0 && !hasRested(backoffMs(AFTER_FAILURE, failures - 1, 0)))
    return { action: 'wait', because: 'failed' }
  if (isAtHighWater(usedShare, policy) && hasRested(restInVainMs(facts)))
    return { action: 'clean', because: 'high-water' }
  if (policy.everyMs === null) return { action: 'wait', because: 'switched-off' }
  // Whatever brought the one that failed: only one that works ends the outage.
  if (failures > 0) return { action: 'clean', because: 'due' }
  if (facts.isLeftOver) {
    const restMs = Math.min(RESTS * policy.budgetMs, policy.everyMs)
    return hasRested(restMs) ? { action: 'clean', because: 'left-over' } : { action: 'wait', because: 'resting' }
  }
  return isDue(facts, policy.everyMs) ? { action: 'clean', because: 'due' } : { action: 'wait', because: 'not-due' }
}

/** Whether the disk is so full that a cleaning comes at once. `usedShare`: null: it cannot be asked. */
export function isAtHighWater(
  usedShare: number | null,
  { highWaterShare }: Pick<CleaningPolicy, 'highWaterShare'>,
): boolean {
  return usedShare !== null && highWaterShare !== null && usedShare >= highWaterShare
}

/** Near the floor something may end any time that can go then: it is looked at as often as ever. */
function restInVainMs({ vainInARow, isNearFloor }: CleaningFacts): number {
  if (vainInARow === 0) return 0
  return isNearFloor ? IN_VAIN.baseMs : backoffMs(IN_VAIN, vainInARow - 1, 0)
}

/** How full a disk is, and may be. */
export interface DiskFill {
  readonly usedBytes: number
  /** Used, and what may still be. */
  readonly totalBytes: number
  readonly highWaterShare: number
  /** Below it no new work begins. */
  readonly floorBytes: number
}

/** Room that is left, as a multiple of the floor, below which bounds no longer hold. */
const NEAR_FLOOR = 2

export function isNearFloor({ usedBytes, totalBytes, floorBytes }: Omit<DiskFill, 'highWaterShare'>): boolean {
  return totalBytes - usedBytes < NEAR_FLOOR * floorBytes
}

/**
 * What a cleaning that a full disk has brought is to give back. Bounds are a promise to people, and mostly it is others
 * who fill a disk: they hold until new work is about to be refused. 0: no more than the bounds say.
 */
export function decidePressure(fill: DiskFill): Pressure {
  const { usedBytes, totalBytes, highWaterShare, floorBytes } = fill
  const wantedBytes = isNearFloor(fill) ? NEAR_FLOOR * floorBytes - (totalBytes - usedBytes) : 0
  return { usedShare: usedBytes / totalBytes, highWaterShare, wantedBytes }
}

/** An end that lies ahead of the clock says only that the clock was set back: it must not put the next one off. */
function isDue({ nowMs, lastEndedAtMs }: CleaningFacts, everyMs: number): boolean {
  return lastEndedAtMs === null || lastEndedAtMs > nowMs || nowMs - lastEndedAtMs >= everyMs
}
