import type { Firing, Schedule } from '../../model/series.ts'
import { parseCron, type WallCron } from './parse-cron.ts'
import { Zone } from './zone.ts'

/** A schedule in a zone, ready to be asked. */
export interface CompiledSchedule {
  /** The first due instant after `afterMs`; null: none ever again. */
  next(afterMs: number): Firing | null
  /** Due instants in (fromMs, toMs], oldest first. `isWhole` false: there are more than `limit`. */
  upTo(fromMs: number, toMs: number, limit: number): { readonly firings: readonly Firing[]; readonly isWhole: boolean }
  /** Set for a fixed interval: its instants need not be walked. */
  readonly grid: { readonly everyMs: number; readonly anchorMs: number } | null
}

export interface ScheduleProblem {
  readonly problem: {
    readonly code: 'CRON_INVALID' | 'ZONE_INVALID' | 'INTERVAL_INVALID' | 'TIME_INVALID'
    /** What is wrong, in plain words, with the cure. */
    readonly words: string
  }
}

export const MIN_EVERY_MS = 1_000
const MAX_EVERY_MS = 366 * 86_400_000
/** Nothing is scheduled beyond the year 2200, nor reckoned there. */
const HORIZON_MS = Date.UTC(2200, 0, 1)

/** Makes a schedule ready, or says why it cannot be. Never throws, whatever it is given. */
export function compileSchedule(schedule: Schedule, zone: string): CompiledSchedule | ScheduleProblem {
  switch (schedule.kind) {
    case 'once':
      return compileOnce(schedule.atMs)
    case 'every':
      return compileEvery(schedule.everyMs, schedule.anchorMs)
    case 'cron':
      return compileCron(schedule, zone)
  }
}

function compileOnce(atMs: number): CompiledSchedule | ScheduleProblem {
  if (!Number.isSafeInteger(atMs) || atMs < 0 || atMs > HORIZON_MS) {
    return problem('TIME_INVALID', 'The time lies outside the years 1970 to 2200.')
  }
  return walkable((afterMs) => (afterMs < atMs ? { atMs, dst: null } : null), null)
}

function compileEvery(everyMs: number, anchorMs: number): CompiledSchedule | ScheduleProblem {
  if (!Number.isSafeInteger(everyMs) || everyMs < MIN_EVERY_MS || everyMs > MAX_EVERY_MS) {
    return problem('INTERVAL_INVALID', 'An interval is at least 1 s and at most 366 days long.')
  }
  if (!Number.isSafeInteger(anchorMs) || anchorMs < 0 || anchorMs > HORIZON_MS) {
    return problem('TIME_INVALID', 'The anchor lies outside the years 1970 to 2200.')
  }
  const next = (afterMs: number): Firing | null => {
    const steps = Math.max(0, Math.floor((afterMs - anchorMs) / everyMs) + 1)
    return withinHorizon({ atMs: anchorMs + steps * everyMs, dst: null })
  }
  return walkable(next, { everyMs, anchorMs })
}

function compileCron(
  { expression, seconds, gap, repeated }: Schedule & { kind: 'cron' },
  zoneName: string,
): CompiledSchedule | ScheduleProblem {
  const zone = Zone.find(zoneName)
  if (zone === null) return problem('ZONE_INVALID', `There is no time zone '${zoneName.slice(0, 64)}'.`)
  const cron = parseCron(expression, seconds)
  if ('words' in cron) return problem('CRON_INVALID', cron.words)
  const nextBy = (pick: 'first' | 'second') => (afterMs: number) => nextFiring(cron, zone, { gap, pick }, afterMs)
  if (repeated !== 'both') return walkable(nextBy(repeated), null)
  const [first, second] = [nextBy('first'), nextBy('second')]
  return walkable((afterMs) => earlier(first(afterMs), second(afterMs)), null)
}

function earlier(a: Firing | null, b: Firing | null): Firing | null {
  if (a === null || b === null) return a ?? b
  return a.atMs <= b.atMs ? a : b
}

/** Local times looked at in one search: seconds of a repeated day come to fewer. */
const MAX_LOOKS = 100_000
/** Clocks are never moved by more. */
const MAX_SHIFT_MS = 26 * 3_600_000

/**
 * Walks the local times of the expression and maps each to its instant. With one pick for all repeated times the mapping
 * never turns back, so the first that lies after `afterMs` is the next. Several local times of one gap fall on one instant.
 */
function nextFiring(
  cron: WallCron,
  zone: Zone,
  rules: { readonly gap: 'after' | 'skip'; readonly pick: 'first' | 'second' },
  afterMs: number,
): Firing | null {
  const offsets = zone.offsetsWithin(afterMs, afterMs + MAX_SHIFT_MS)
  // No local time before this one names a later instant. One second less, as that one itself may.
  let wallMs: number | null = Math.floor((afterMs + Math.min(...offsets)) / 1_000) * 1_000 - 1_000
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    wallMs = cron.next(wallMs)
    if (wallMs === null) return null
    const firing = firingOf(zone, rules, wallMs)
    if (firing !== null && firing.atMs > afterMs) return withinHorizon(firing)
  }
  return null
}

function firingOf(
  zone: Zone,
  { gap, pick }: { readonly gap: 'after' | 'skip'; readonly pick: 'first' | 'second' },
  wallMs: number,
): Firing | null {
  const { instants, afterGapMs } = zone.resolve(wallMs)
  if (afterGapMs !== null) return gap === 'skip' ? null : { atMs: afterGapMs, dst: 'gap' }
  const atMs = pick === 'first' ? instants[0] : instants.at(-1)
  return atMs === undefined ? null : { atMs, dst: instants.length > 1 ? 'repeated' : null }
}

function withinHorizon(firing: Firing): Firing | null {
  return firing.atMs > HORIZON_MS ? null : firing
}

function walkable(next: CompiledSchedule['next'], grid: CompiledSchedule['grid']): CompiledSchedule {
  return { next, grid, upTo: (fromMs, toMs, limit) => walk(next, fromMs, toMs, limit) }
}

function walk(next: CompiledSchedule['next'], fromMs: number, toMs: number, limit: number) {
  const firings: Firing[] = []
  for (let firing = next(fromMs); firing !== null && firing.atMs <= toMs; firing = next(firing.atMs)) {
    if (firings.length === limit) return { firings, isWhole: false }
    firings.push(firing)
  }
  return { firings, isWhole: true }
}

function problem(code: ScheduleProblem['problem']['code'], words: string): ScheduleProblem {
  return { problem: { code, words } }
}
