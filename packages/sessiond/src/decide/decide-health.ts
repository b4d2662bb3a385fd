export interface HealthFacts {
  /** Null before the first sweep. */
  readonly lastSweepAgeMs: number | null
  readonly sweepIntervalMs: number
  readonly oldestDueAgeMs: number | null
  /** Null: the disk cannot be asked. */
  readonly freeBytes: number | null
  readonly diskFloorBytes: number
  /** Groups that have left the configuration while their sessions have work that is due. */
  readonly parkedGroups: readonly string[]
  readonly lostRuntimes: readonly string[]
  readonly unkillable: readonly string[]
  /** Null: the last cleaning worked. */
  readonly cleaningFailsForMs: number | null
}

/** A message this long due without a run having taken it means that something does not move. */
const DUE_TOO_LONG_MS = 10 * 60_000
/** Cleanings that fail for so long will not mend themselves; until then they are tried again every hour. */
const CLEANING_TOO_LONG_MS = 6 * 3_600_000
const MISSED_SWEEPS = 3
/** With less than this the store may find no room for its next write, whatever the floor. */
const FULL_BELOW_BYTES = 1024 * 1024

/** Everything that is wrong with a host, in plain words; empty: healthy. */
export function decideHealth(facts: HealthFacts): string[] {
  const problems: string[] = []
  if (facts.lastSweepAgeMs !== null && facts.lastSweepAgeMs > MISSED_SWEEPS * facts.sweepIntervalMs) {
    problems.push(`the last sweep was ${seconds(facts.lastSweepAgeMs)} ago (every ${seconds(facts.sweepIntervalMs)})`)
  }
  if (facts.oldestDueAgeMs !== null && facts.oldestDueAgeMs > DUE_TOO_LONG_MS) {
    problems.push(`the oldest due message has waited ${seconds(facts.oldestDueAgeMs)} for a run`)
  }
  const floorBytes = Math.max(facts.diskFloorBytes, FULL_BELOW_BYTES)
  if (facts.freeBytes !== null && facts.freeBytes < floorBytes) {
    problems.push(`the disk of the data directory is full: ${facts.freeBytes} bytes are free, ${floorBytes} are wanted`)
  }
  for (const group of facts.parkedGroups) problems.push(`group ${group} is not configured: its due messages wait`)
  for (const runtime of facts.lostRuntimes) problems.push(`runtime ${runtime} cannot be reached`)
  for (const name of facts.unkillable) problems.push(`run ${name} does not die; its session is quarantined`)
  if (facts.cleaningFailsForMs !== null && facts.cleaningFailsForMs > CLEANING_TOO_LONG_MS) {
    problems.push(
      `no cleaning has worked for ${Math.floor(facts.cleaningFailsForMs / 3_600_000)} h: see prune:failed in the log`,
    )
  }
  return problems
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
