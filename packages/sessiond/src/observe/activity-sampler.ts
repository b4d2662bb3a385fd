import type { RunHandle } from '../model/run.ts'
import type { ActivityTotals, Runtime } from '../runtime/runtime.ts'
import type { World } from '../world.ts'
import type { ActivitySample } from './activity-meter.ts'

const INTERVAL_MS = 5_000

/** A run that is to be sampled. */
export interface SampledRun {
  readonly name: string
  readonly handle: RunHandle
}

/** What it needs of a runtime. */
export type SampledRuntime = Pick<Runtime, 'name' | 'capabilities' | 'sample'>

export interface ActivitySamplerOptions {
  readonly world: Pick<World, 'monotonicMs' | 'setTimer'>
  readonly runtimes: ReadonlyMap<string, SampledRuntime>
  /** Runs that are live now; asked before every sampling. */
  readonly listRuns: () => readonly SampledRun[]
  /** Called with what a run has used since it was last sampled; never for its first time. Must not throw. */
  readonly onSample: (runName: string, sample: ActivitySample) => void
  /** @default 5,000. Too low: the host works for nothing. Too high: what a run does shows late. */
  readonly intervalMs?: number
}

interface Seen {
  readonly totals: ActivityTotals
  readonly atMs: number
}

/**
 * Samples what live runs use, each runtime by itself: one that hangs delays no other and is not asked again before it
 * has answered. Where nothing runs, nothing is looked at.
 */
export class ActivitySampler {
  readonly #options: ActivitySamplerOptions
  readonly #busy = new Set<string>()
  /** By run name; what is in flight for a run that has left this map belongs to the past. */
  #seen = new Map<string, Seen | null>()
  #cancelTimer: (() => void) | null = null

  constructor(options: ActivitySamplerOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#cancelTimer === null) this.#arm()
  }

  /** What is under way comes to nothing; figures start anew with the next start. */
  stop(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    this.#seen = new Map()
  }

  #arm(): void {
    this.#cancelTimer = this.#options.world.setTimer(this.#options.intervalMs ?? INTERVAL_MS, () => {
      this.#arm()
      this.#sampleAll()
    })
  }

  #sampleAll(): void {
    const runs = this.#options.listRuns()
    this.#seen = new Map(runs.map(({ name }) => [name, this.#seen.get(name) ?? null]))
    for (const [name, ofRuntime] of Map.groupBy(runs, ({ handle }) => handle.runtime)) {
      const runtime = this.#options.runtimes.get(name)
      if (runtime?.capabilities.activity === true && !this.#busy.has(name)) void this.#sampleOne(runtime, ofRuntime)
    }
  }

  async #sampleOne(runtime: SampledRuntime, runs: readonly SampledRun[]): Promise<void> {
    this.#busy.add(runtime.name)
    try {
      // A runtime that breaks its word and throws is one that told nothing.
      const totals = await runtime
        .sample(runs.map(({ handle }) => handle))
        .catch(() => new Map<string, ActivityTotals>())
      // When they were read is known no better than by the answer; time too short for a figure never looks like silence.
      const atMs = this.#options.world.monotonicMs()
      for (const { name, handle } of runs) this.#note(name, totals.get(handle.id), atMs)
    } finally {
      this.#busy.delete(runtime.name)
    }
  }

  #note(name: string, totals: ActivityTotals | undefined, atMs: number): void {
    const before = this.#seen.get(name)
    if (totals === undefined || before === undefined) return
    this.#seen.set(name, { totals, atMs })
    const sample = before === null ? null : difference(before, { totals, atMs })
    if (sample !== null) this.#options.onSample(name, sample)
  }
}

/** Null: no time has passed, or the runtime counts anew. */
function difference(before: Seen, now: Seen): ActivitySample | null {
  const cpuMs = now.totals.cpuMs - before.totals.cpuMs
  const ioBytes = now.totals.ioBytes - before.totals.ioBytes
  const overMs = now.atMs - before.atMs
  if (cpuMs < 0 || ioBytes < 0 || overMs <= 0) return null
  return { cpuMs, ioBytes, processes: now.totals.processes, overMs }
}
