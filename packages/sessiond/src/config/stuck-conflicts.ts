import type { StuckPolicy } from './config.ts'
import { atMost, type Conflict } from './conflicts.ts'
import { formatDuration } from './duration.ts'
import type { ParsedOptions } from './host-schema.ts'

type Tools = ParsedOptions['stuck']['tools']

/** Two limits of the same silence: the patient one, which holds while something moves, must not be reached first. */
const PAIRS = [
  ['claimSilent', 'ceiling'],
  ['modelSilent', 'modelPinging'],
  ['toolSilent', 'busyCeiling'],
  ['silent', 'busyCeiling'],
] as const

/** Finds what contradicts itself within one judgement. `pathOf`: where the option that holds for it was written. */
export function stuckConflicts(stuck: StuckPolicy, pathOf: (key: string) => string): Conflict[] {
  return PAIRS.flatMap(([low, high]) => {
    return atMost(pathOf(low), stuck[`${low}Ms`], pathOf(high), stuck[`${high}Ms`], formatDuration)
  })
}

/** The same for tools written at `at`: what an entry leaves out is taken from the judgement around it. */
export function toolConflicts(
  at: string,
  tools: Tools,
  stuck: StuckPolicy,
  pathOf: (key: string) => string,
): Conflict[] {
  return Object.entries(tools).flatMap(([pattern, { silent, busyCeiling }]) => {
    const own = (key: string) => `${at}.${pattern}.${key}`
    if (silent === undefined && busyCeiling === undefined) return []
    const [low, lowMs] = silent === undefined ? [pathOf('toolSilent'), stuck.toolSilentMs] : [own('silent'), silent]
    const [high, highMs] =
      busyCeiling === undefined ? [pathOf('busyCeiling'), stuck.busyCeilingMs] : [own('busyCeiling'), busyCeiling]
    return atMost(low, lowMs, high, highMs, formatDuration)
  })
}
