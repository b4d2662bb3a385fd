import type { RecordingLine } from '@sessiond/protocol'
import type { Judge } from './judge.ts'

/** What became of a recording under a judge. Times on the recording's own clock. */
export type ReplayResult =
  | { readonly outcome: 'left-alone' }
  | { readonly outcome: 'exited'; readonly atMs: number }
  | {
      readonly outcome: 'killed'
      readonly atMs: number
      readonly reason: string
      readonly evidence: Readonly<Record<string, unknown>>
    }

/** How often a host looks at a beat: a stat of a file, and no notification. */
const BEAT_LOOK_MS = 5_000

/**
 * Replays a recording as a host would have seen it: a line when it was written, a beat at the next look at it, and a
 * judgement after each and whenever the last one asked for. Ends at the first kill, at the exit, or with the recording.
 */
export function replay(lines: readonly RecordingLine[], judge: Judge): ReplayResult {
  let dueAtMs: number | null = 0
  let awakeAtMs = 0
  for (const [at, line] of lines.entries()) {
    while (dueAtMs !== null && dueAtMs < line.t) {
      const [result, nextMs]: Step = look(judge, dueAtMs)
      if (result !== null) return result
      dueAtMs = nextMs
    }
    if (line.kind === 'host-suspend') {
      const forMs = sleepMs(lines, at, line.forMs)
      judge.slept(line.t, forMs)
      awakeAtMs = line.t + forMs
      dueAtMs = awakeAtMs
      continue
    }
    judge.note(asSeen(line))
    // Written as it fell asleep; nobody was there to judge it.
    if (line.t < awakeAtMs) continue
    const [result, nextMs] = look(judge, line.t)
    if (result !== null) return result
    dueAtMs = nextMs
  }
  return { outcome: 'left-alone' }
}

/** Lines a sleeping machine may still have written on its way to sleep. */
const LAST_LINES = 5

/** How much of a sleep shows on the recording's clock: all of it, or nothing where that clock stood still as well. */
function sleepMs(lines: readonly RecordingLine[], at: number, forMs: number): number {
  const fromMs = lines[at]?.t ?? 0
  const during = lines.slice(at + 1).filter(({ t }) => t < fromMs + forMs)
  return during.length > LAST_LINES ? 0 : forMs
}

function asSeen(line: RecordingLine): RecordingLine {
  return line.kind === 'beat' ? { ...line, t: Math.ceil(line.t / BEAT_LOOK_MS) * BEAT_LOOK_MS } : line
}

type Step = readonly [ReplayResult | null, number | null]

function look(judge: Judge, atMs: number): Step {
  const judgement = judge.judge(atMs)
  switch (judgement.verdict) {
    case 'exited':
      return [{ outcome: 'exited', atMs }, null]
    case 'stop':
      return [{ outcome: 'killed', atMs, reason: judgement.reason, evidence: judgement.evidence }, null]
    case 'leave':
      return [null, judgement.recheckInMs === null ? null : atMs + Math.max(1, judgement.recheckInMs)]
  }
}
