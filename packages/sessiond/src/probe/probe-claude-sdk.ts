import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecordingLine } from '@sessiond/protocol'
import type { ClaudeAgentOptions } from '@sessiond/runner/claude'
import { ProcessActivity } from '../runtime/process/process-activity.ts'
import type { ActivityTotals } from '../runtime/runtime.ts'
import { realWorld } from '../world.ts'
import type { ProbePrompt } from './probe-runner.ts'

export interface ProbeClaudeSdkOptions {
  readonly agent: ClaudeAgentOptions
  /** Null: a folder of its own, gone afterwards. */
  readonly workDir: string | null
  readonly prompts: readonly ProbePrompt[]
  readonly timeoutMs: number
  readonly trace: string
  readonly hangHook?: string
  readonly signal: AbortSignal
}

const SAMPLE_MS = 5_000
const RUN_NAME = `sessiond-probe-${process.pid}`

/** Puts prompts to the Claude Agent SDK and returns all that passed through it, with what its processes used. */
export async function probeClaudeSdk(options: ProbeClaudeSdkOptions): Promise<readonly RecordingLine[]> {
  // Loaded on use: the SDK is an optional peer, and few ask for it.
  const { probeClaude } = await import('@sessiond/runner/claude')
  const own = options.workDir === null ? await mkdtemp(join(tmpdir(), 'sessiond-probe-')) : null
  const lines: RecordingLine[] = []
  const startedAt = performance.now()
  const sampler = new ActivityLines((line) => lines.push({ t: Math.round(performance.now() - startedAt), ...line }))
  try {
    const { workDir: _, agent, ...rest } = options
    await probeClaude({
      ...rest,
      workDir: options.workDir ?? own ?? '.',
      // By this its processes are found, as those of a run are.
      agent: { ...agent, env: { ...agent.env, SESSIOND_RUN: RUN_NAME } },
      about: options.prompts
        .map(({ text }) => text)
        .join(' / ')
        .slice(0, 200),
      onLine: (line) => lines.push(line),
      onStarted: (pid) => sampler.start(pid),
    })
    return lines.toSorted((a, b) => a.t - b.t)
  } finally {
    sampler.stop()
    if (own !== null) await rm(own, { recursive: true, force: true })
  }
}

type ActivityMove = {
  readonly kind: 'activity'
  readonly cpuMs: number
  readonly ioBytes: number
  readonly processes: number
}

/** Tells every 5 s what a process and all that descends from it used. Only where the system can say: Linux. */
class ActivityLines {
  readonly #onLine: (line: ActivityMove) => void
  #timer: NodeJS.Timeout | null = null
  #before: ActivityTotals | null = null

  constructor(onLine: (line: ActivityMove) => void) {
    this.#onLine = onLine
  }

  start(pid: number): void {
    if (process.platform !== 'linux') return
    const query = { groupId: pid, runName: RUN_NAME, trustGroup: false }
    const activity = new ProcessActivity(realWorld, () => [{ id: RUN_NAME, query, isAdopted: true }])
    this.#timer = setInterval(() => void activity.take().then((totals) => this.#note(totals.get(RUN_NAME))), SAMPLE_MS)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  #note(totals: ActivityTotals | undefined): void {
    if (totals === undefined) return
    const before = this.#before ?? { cpuMs: 0, ioBytes: 0, processes: 0 }
    this.#before = totals
    const [cpuMs, ioBytes] = [totals.cpuMs - before.cpuMs, totals.ioBytes - before.ioBytes]
    if (cpuMs >= 0 && ioBytes >= 0) this.#onLine({ kind: 'activity', cpuMs, ioBytes, processes: totals.processes })
  }
}
