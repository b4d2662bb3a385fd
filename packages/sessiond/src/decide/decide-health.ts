export interface HealthFacts {
  /** Null before the first sweep. */
  readonly lastSweepAgeMs: number | null
  readonly sweepIntervalMs: number
  readonly oldestDueAgeMs: number | null
  readonly lostRuntimes: readonly string[]
  readonly unkillable: readonly string[]
}

/** A message this long due without a run having taken it means that something does not move. */
const DUE_TOO_LONG_MS = 10 * 60_000
const MISSED_SWEEPS = 3

/** Everything that is wrong with a host, in plain words; empty: healthy. */
export function decideHealth(facts: HealthFacts): string[] {
  const problems: string[] = []
  if (facts.lastSweepAgeMs !== null && facts.lastSweepAgeMs > MISSED_SWEEPS * facts.sweepIntervalMs) {
    problems.push(`the last sweep was ${seconds(facts.lastSweepAgeMs)} ago (every ${seconds(facts.sweepIntervalMs)})`)
  }
  if (facts.oldestDueAgeMs !== null && facts.oldestDueAgeMs > DUE_TOO_LONG_MS) {
    problems.push(`the oldest due message has waited ${seconds(facts.oldestDueAgeMs)} for a run`)
  }
  for (const runtime of facts.lostRuntimes) problems.push(`runtime ${runtime} cannot be reached`)
  for (const name of facts.unkillable) problems.push(`run ${name} does not die; its session is quarantined`)
  return problems
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
