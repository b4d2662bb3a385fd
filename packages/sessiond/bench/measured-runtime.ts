import type { RunHandle } from '../src/model/run.ts'
import type { ActivityTotals, Runtime } from '../src/runtime/runtime.ts'

/** What samplings have cost this process. */
export interface SamplingFigures {
  readonly cpuMs: readonly number[]
  /** Runs told of by the last one. */
  readonly told: number
}

/** Lets a runtime be sampled through it, and measures the CPU that takes, with all else this process does meanwhile. */
export function measuredRuntime(runtime: Runtime) {
  const cpuMs: number[] = []
  let told = 0
  const measured: Pick<Runtime, 'name' | 'capabilities' | 'sample'> = {
    name: runtime.name,
    capabilities: runtime.capabilities,
    sample: async (handles: readonly RunHandle[]): Promise<ReadonlyMap<string, ActivityTotals>> => {
      const before = process.cpuUsage()
      const totals = await runtime.sample(handles)
      const { user, system } = process.cpuUsage(before)
      cpuMs.push((user + system) / 1000)
      told = totals.size
      return totals
    },
  }
  return { runtime: measured, figures: (): SamplingFigures => ({ cpuMs, told }) }
}
