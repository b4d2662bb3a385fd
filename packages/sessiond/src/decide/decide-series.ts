import type { OccurrenceOutcome, Series } from '../model/series.ts'
import type { CompiledSchedule } from './recurrence/compile-schedule.ts'
import { type DueRange, dueRange } from './recurrence/due-range.ts'
import { isUseful } from './recurrence/is-useful.ts'

/** What fires within this of its due instant is on time: a loaded host is not one that was down. */
export const ON_TIME_MS = 60_000

/** Due instants that ended without a message of their own. */
export interface EndedInstants {
  readonly firstDueAtMs: number
  readonly lastDueAtMs: number
  readonly count: number
  readonly outcome: Exclude<OccurrenceOutcome, 'live' | 'ran'>
  readonly because: string
}

/** What a look at a series came to. */
export interface SeriesStep {
  readonly ended: readonly EndedInstants[]
  /** The instant that fires now; null: none. */
  readonly fire: { readonly dueAtMs: number; readonly isLate: boolean } | null
  /** The live occurrence has to make room for the next one. */
  readonly replaces: boolean
  readonly accountedToMs: number
  readonly catchUpToMs: number
  /** When it is looked at next; null: when its live occurrence has ended, or never. */
  readonly nextAtMs: number | null
  /** Nothing is due ever again: why. */
  readonly endedBecause: 'done' | null
}

type Look = Pick<
  Series,
  | 'plan'
  | 'zone'
  | 'accountedToMs'
  | 'liveUntilMs'
  | 'catchUpToMs'
  | 'heldUntilMs'
  | 'heldFor'
  | 'firings'
  | 'liveMessageId'
>

/**
 * Decides what becomes of the due instants of an active series up to now: one fires at most, and each of the others gets
 * its end and its reason. Called when one is due, and in the transaction in which an occurrence has ended.
 */
export function decideSeries(series: Look, schedule: CompiledSchedule, nowMs: number): SeriesStep {
  const isLive = series.liveMessageId !== null
  if (isLive && series.plan.overlap !== 'allow') return besideLive(series, schedule, nowMs)
  const walk = new Walk(series, schedule, nowMs)
  if (walk.isOver()) return walk.step(isLive)
  walk.passHeld()
  walk.catchUp()
  walk.passOverlapped()
  walk.passMissed()
  walk.passOnTime()
  return walk.step(isLive)
}

/** `skip` and `queue` are decided when it has ended. `replace` asks it to end, once: what is due by then is seen then. */
function besideLive({ plan, accountedToMs, catchUpToMs }: Look, schedule: CompiledSchedule, nowMs: number): SeriesStep {
  const nextAtMs = plan.overlap === 'replace' ? nextDueMs(plan.endAtMs, schedule, accountedToMs) : null
  const replaces = nextAtMs !== null && nextAtMs <= nowMs
  const stays = { ended: [], fire: null, accountedToMs, catchUpToMs, endedBecause: null } as const
  return { ...stays, replaces, nextAtMs: replaces ? null : nextAtMs }
}

/** Goes through the due instants from the oldest to now. The last one that may fire does; what it passes is merged into it. */
class Walk {
  readonly #series: Look
  readonly #schedule: CompiledSchedule
  readonly #nowMs: number
  readonly #untilMs: number
  readonly #ended: EndedInstants[] = []
  #atMs: number
  #catchUpToMs: number
  /** Fires unless a later one does. */
  #candidate: { dueAtMs: number; isLate: boolean; because: string } | null = null
  /** Stopped before now: more has to be looked at, or has to wait for what fires. */
  #isCut = false

  constructor(series: Look, schedule: CompiledSchedule, nowMs: number) {
    this.#series = series
    this.#schedule = schedule
    this.#nowMs = nowMs
    this.#untilMs = Math.min(nowMs, series.plan.endAtMs ?? nowMs)
    this.#atMs = series.accountedToMs
    this.#catchUpToMs = series.catchUpToMs
  }

  passHeld(): void {
    const { heldUntilMs, heldFor } = this.#series
    const range = this.#take(heldUntilMs)
    if (range !== null) this.#end(range, 'skipped', heldFor ?? 'paused')
  }

  /** It has fired as often as it may. */
  isOver(): boolean {
    const { plan, firings } = this.#series
    return plan.maxRuns !== null && firings >= plan.maxRuns
  }

  /** What came while an occurrence was live. */
  passOverlapped(): void {
    const range = this.#take(this.#series.liveUntilMs)
    if (range === null) return
    if (this.#series.plan.overlap === 'skip') this.#end(range, 'skipped', 'overlap')
    else this.#propose(range, 'overlap', false)
  }

  passMissed(): void {
    const fromMs = this.#atMs
    const range = this.#take(this.#nowMs - ON_TIME_MS)
    if (range === null) return
    const { run } = this.#series.plan.missed
    if (run === 'none') this.#end(range, 'skipped', 'missed')
    else if (run === 'newest') this.#missedNewest(range)
    else this.#missedEach(range, fromMs)
  }

  passOnTime(): void {
    const range = this.#take(this.#nowMs)
    if (range !== null) this.#propose(range, 'late', false)
  }

  step(isLive: boolean): SeriesStep {
    const { plan, firings } = this.#series
    const fire = this.#fire()
    const accountedToMs = this.#atMs
    const isLast = plan.maxRuns !== null && firings + (fire === null ? 0 : 1) >= plan.maxRuns
    const nextAtMs = isLast ? null : this.#nextAtMs(fire !== null, accountedToMs)
    const isDone = !isLive && fire === null && nextAtMs === null
    return {
      ended: this.#ended,
      fire,
      replaces: false,
      accountedToMs,
      catchUpToMs: this.#catchUpToMs,
      nextAtMs,
      endedBecause: isDone ? 'done' : null,
    }
  }

  #fire(): SeriesStep['fire'] {
    return this.#candidate === null ? null : { dueAtMs: this.#candidate.dueAtMs, isLate: this.#candidate.isLate }
  }

  #nextAtMs(fires: boolean, accountedToMs: number): number | null {
    const { overlap, endAtMs } = this.#series.plan
    if (fires && overlap !== 'allow' && overlap !== 'replace') return null
    return this.#isCut ? this.#nowMs : nextDueMs(endAtMs, this.#schedule, accountedToMs)
  }

  /** The due instants from where it stands to `toMs`. A part that is cut short ends here: it is gone on with at once. */
  #take(toMs: number): DueRange | null {
    if (this.#isCut) return null
    const untilMs = Math.min(toMs, this.#untilMs)
    const range = dueRange(this.#schedule, this.#atMs, untilMs)
    if (range?.isWhole === false) {
      this.#isCut = true
      this.#atMs = range.lastMs
    } else this.#atMs = Math.max(this.#atMs, untilMs)
    return range
  }

  #end(range: Pick<DueRange, 'firstMs' | 'lastMs' | 'count'>, outcome: EndedInstants['outcome'], because: string) {
    if (range.count === 0) return
    const { firstMs: firstDueAtMs, lastMs: lastDueAtMs, count } = range
    this.#ended.push({ firstDueAtMs, lastDueAtMs, count, outcome, because })
  }

  /** Its newest may fire; the others, and an earlier candidate, are merged into that. */
  #propose(range: DueRange, because: string, isLate: boolean): void {
    this.#mergeCandidate()
    // The newest is still to come: all of these are merged into it.
    if (this.#isCut) {
      this.#end(range, 'merged', because)
      return
    }
    const { older, newest } = splitNewest(range)
    this.#end(older, 'merged', because)
    this.#candidate = { dueAtMs: newest, isLate, because }
  }

  #mergeCandidate(): void {
    if (this.#candidate === null) return
    const { dueAtMs, because } = this.#candidate
    this.#end({ firstMs: dueAtMs, lastMs: dueAtMs, count: 1 }, 'merged', because)
    this.#candidate = null
  }

  #missedNewest(range: DueRange): void {
    // Whether the newest is of use is not known yet.
    if (this.#isCut) this.#end(range, 'skipped', 'missed')
    else if (this.#isUseful(range.lastMs)) this.#propose(range, 'missed', true)
    else this.#end(range, 'expired', 'too-late')
  }

  /** Older ones than may run are skipped, those of no use expire, and the rest run one after the other from now on. */
  #missedEach(range: DueRange, fromMs: number): void {
    this.#mergeCandidate()
    if (this.#isCut) {
      this.#end(range, 'skipped', 'missed')
      return
    }
    const kept = range.tail.slice(-this.#series.plan.missed.max)
    const skipped = range.count - kept.length
    const before = range.tail.at(-kept.length - 1) ?? range.firstMs
    this.#end({ firstMs: range.firstMs, lastMs: before, count: skipped }, 'skipped', 'missed')
    this.#atMs = skipped > 0 ? before : fromMs
    this.#catchUpToMs = range.lastMs
    this.catchUp()
  }

  /** Fires the oldest of those to be caught up with that is of use still, and leaves the rest for when it has ended. */
  catchUp(): void {
    while (this.#atMs < this.#catchUpToMs && !this.#isCut) {
      const dueAtMs = nextDueMs(this.#series.plan.endAtMs, this.#schedule, this.#atMs)
      if (dueAtMs === null || dueAtMs > this.#catchUpToMs) break
      this.#atMs = dueAtMs
      if (this.#isUseful(dueAtMs)) {
        this.#candidate = { dueAtMs, isLate: true, because: 'missed' }
        this.#isCut = true
      } else this.#end({ firstMs: dueAtMs, lastMs: dueAtMs, count: 1 }, 'expired', 'too-late')
    }
  }

  #isUseful(dueAtMs: number): boolean {
    return isUseful(dueAtMs, this.#series.plan.missed, this.#series.zone, this.#nowMs)
  }
}

function splitNewest({ firstMs, lastMs, count, tail }: DueRange) {
  const older = { firstMs, lastMs: tail.at(-2) ?? firstMs, count: count - 1 }
  return { older, newest: lastMs }
}

/** The first due instant after `afterMs`; null: none up to the end of the series. */
export function nextDueMs(endAtMs: number | null, schedule: CompiledSchedule, afterMs: number): number | null {
  const atMs = schedule.next(afterMs)?.atMs ?? null
  return atMs !== null && endAtMs !== null && atMs > endAtMs ? null : atMs
}
