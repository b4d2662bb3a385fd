import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecordingLine } from '@sessiond/protocol'
import type { LivenessObservation } from '../decide/decide-liveness.ts'
import type { BlackBox } from '../model/black-box.ts'
import type { Run } from '../model/run.ts'
import { measureDisk } from '../observe/measure-disk.ts'
import type { EffectDeps } from './deps.ts'

/** A look that takes longer is given up: no kill waits for it. */
const LOOK_MS = 2_000
const OUTPUT_BYTES = 4 * 1024

/** Where what was kept of a stuck run lies, host-only. */
export function blackBoxPath(deps: Pick<EffectDeps, 'mailbox'>, sessionId: string, epoch: number): string {
  return join(deps.mailbox.pathsOf(sessionId).runs, `${epoch}.blackbox.json`)
}

/** Where the movements of a run's clocks lie once it has ended, host-only. */
export function recordingPath(deps: Pick<EffectDeps, 'mailbox'>, sessionId: string, epoch: number): string {
  return join(deps.mailbox.pathsOf(sessionId).runs, `${epoch}.recording.jsonl`)
}

/** Looks at a stuck run before anything is sent to it, and keeps what was seen. Bounded in time; never fails a kill. */
export async function keepBlackBox(deps: EffectDeps, run: Run, clocks: LivenessObservation): Promise<void> {
  const runtime = deps.runtimes.get(run.runtime)
  const { handle } = run
  if (runtime === undefined || handle === null) return
  const paths = deps.mailbox.pathsOf(run.sessionId)
  const [processes, totals, output, disk] = await Promise.all([
    inTime(deps, runtime.listProcesses(handle)),
    inTime(deps, runtime.sample([handle])),
    inTime(deps, runtime.readLog(handle, OUTPUT_BYTES)),
    inTime(deps, measureDisk([paths.work, paths.out], LOOK_MS / 2)),
  ])
  const box: BlackBox = {
    takenAtMs: deps.world.now(),
    processes,
    activity: totals?.get(handle.id) ?? null,
    output,
    clocks,
    disk,
  }
  await writeFile(blackBoxPath(deps, run.sessionId, run.epoch), JSON.stringify(box), { mode: 0o600 }).catch(() => {})
}

/** Keeps what moved last of a run that has ended, as a recording. Never fails a settlement. */
export async function keepRecording(deps: EffectDeps, run: Run, lines: readonly RecordingLine[]): Promise<void> {
  if (lines.length === 0) return
  const meta: RecordingLine = {
    t: 0,
    kind: 'meta',
    trace: `${run.sessionId} run ${run.epoch}`,
    about: `ended: ${run.end ?? 'exited'}`,
    agent: run.group,
    labelled: false,
  }
  const text = [meta, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('')
  await writeFile(recordingPath(deps, run.sessionId, run.epoch), text, { mode: 0o600 }).catch(() => {})
}

function inTime<Result>({ world }: EffectDeps, look: Promise<Result>): Promise<Result | null> {
  return new Promise((resolve) => {
    const cancel = world.setTimer(LOOK_MS, () => resolve(null))
    look.then(
      (result) => {
        cancel()
        resolve(result)
      },
      () => {
        cancel()
        resolve(null)
      },
    )
  })
}
