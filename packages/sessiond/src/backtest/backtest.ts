import type { StuckPolicy } from '../config/config.ts'
import { policyJudge } from './policy-judge.ts'
import type { Recording } from './read-recording.ts'
import { type ReplayResult, replay } from './replay.ts'

export interface NamedPolicy {
  readonly name: string
  readonly policy: StuckPolicy
}

/** One recording under each policy, against what happened. */
export interface BacktestRow {
  readonly recording: string
  readonly about: string
  /** From here on a kill is right; null: never. */
  readonly stuckAtMs: number | null
  /** When it exited; null: not while it was recorded. */
  readonly exitedAtMs: number | null
  readonly lastAtMs: number
  /** In the order of the policies. */
  readonly verdicts: readonly BacktestVerdict[]
}

/**
 * `right`: stuck and killed after it was, or healthy and left alone. `wrong-kill`: killed while it was healthy.
 * `missed`: stuck and left alone. `unlabelled`: nobody has said which it was.
 */
export type BacktestVerdict = ReplayResult & {
  readonly policy: string
  readonly is: 'right' | 'wrong-kill' | 'missed' | 'unlabelled'
}

/** Replays recordings under policies: who would have been killed when, against what happened. */
export function backtest(recordings: readonly Recording[], policies: readonly NamedPolicy[]): BacktestRow[] {
  return recordings.map((recording) => ({
    recording: recording.name,
    about: recording.about,
    stuckAtMs: recording.stuckAtMs,
    exitedAtMs: recording.lines.find(({ kind }) => kind === 'exit')?.t ?? null,
    lastAtMs: recording.lines.at(-1)?.t ?? 0,
    verdicts: policies.map(({ name, policy }) => {
      const result = replay(recording.lines, policyJudge(policy))
      return { policy: name, is: compare(recording, result), ...result }
    }),
  }))
}

/** A run that ended by itself was nobody's to judge, stuck or not. */
function compare({ stuckAtMs, isLabelled }: Recording, result: ReplayResult): BacktestVerdict['is'] {
  if (!isLabelled) return 'unlabelled'
  if (result.outcome === 'exited') return 'right'
  if (result.outcome === 'left-alone') return stuckAtMs === null ? 'right' : 'missed'
  return stuckAtMs !== null && result.atMs >= stuckAtMs ? 'right' : 'wrong-kill'
}
