import type { RecordedMove, RecordingLine } from '@sessiond/protocol'

export interface RecordingPlan {
  /** How long it goes on. */
  readonly forMs: number
  /** What happens when, besides beats and activity; a claim at 0 is added. */
  readonly moves: readonly (readonly [atMs: number, move: RecordedMove])[]
  /** Runs' loop turns until then. @default for ever */
  readonly beatsUntilMs?: number
  /** Part of a core used at an instant. @default 0 */
  readonly cpuAt?: (atMs: number) => number
  /** The machine sleeps: nothing is written meanwhile. */
  readonly sleep?: { readonly fromMs: number; readonly forMs: number }
}

const EVERY_MS = 5_000

/** A recording as a host would have made it of a run that does this: beats and activity every 5 s, the rest when it came. */
export function buildRecording(plan: RecordingPlan): RecordingLine[] {
  const { forMs, moves, beatsUntilMs = Number.POSITIVE_INFINITY, cpuAt = () => 0, sleep } = plan
  const lines: RecordingLine[] = [{ t: 0, kind: 'claim', message: 'm1' }]
  for (let t = EVERY_MS; t <= forMs; t += EVERY_MS) {
    if (sleep !== undefined && t > sleep.fromMs && t < sleep.fromMs + sleep.forMs) continue
    if (t <= beatsUntilMs) lines.push({ t, kind: 'beat' })
    // What an agent at rest uses, so that rest is not told from work by being nothing at all.
    const cpuMs = Math.round(cpuAt(t) * EVERY_MS) + (t % 15_000 === 0 ? 60 : 5)
    lines.push({ t: t + 100, kind: 'activity', cpuMs, ioBytes: 700, processes: 3 })
  }
  if (sleep !== undefined) lines.push({ t: sleep.fromMs, kind: 'host-suspend', forMs: sleep.forMs })
  for (const [t, move] of moves) lines.push({ t, ...move })
  return lines.sort((a, b) => a.t - b.t)
}
