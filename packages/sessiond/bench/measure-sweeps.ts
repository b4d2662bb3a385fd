import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from 'sessiond'
import type { SweepFigures, SweepQuestion } from './host-commands.ts'
import { readerFigures } from './process-figures.ts'

/** Lets what a sweep set off come to rest before the next one is measured. */
const PAUSE_MS = 50
const RESOLUTION_MS = 1

/** Sweeps again and again, first for the CPU alone, then with a watch on the event loop, which costs CPU itself. */
export async function measureSweeps(host: Host, { times, warmUps }: SweepQuestion): Promise<SweepFigures> {
  for (let i = 0; i < warmUps; i += 1) await sweepOnce(host)
  const readersBefore = readerFigures(process.pid)
  const sweeps = []
  for (let i = 0; i < times; i += 1) sweeps.push(await sweepOnce(host))
  const readersAfter = readerFigures(process.pid)
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  for (let i = 0; i < times; i += 1) await sweepOnce(host)
  delays.disable()
  return {
    cpuMs: sweeps.map((sweep) => sweep.cpuMs),
    tookMs: sweeps.map((sweep) => sweep.tookMs),
    sessions: sweeps.at(-1)?.sessions ?? 0,
    readersCpuMsPerSweep:
      readersBefore === null || readersAfter === null ? null : (readersAfter.cpuMs - readersBefore.cpuMs) / times,
    maxBlockMs: Math.max(0, delays.max / 1e6 - RESOLUTION_MS),
  }
}

async function sweepOnce(host: Host) {
  await sleep(PAUSE_MS)
  const before = process.cpuUsage()
  const { tookMs, lines } = await host.sweepOnce({ dryRun: false })
  const { user, system } = process.cpuUsage(before)
  return { tookMs, cpuMs: (user + system) / 1000, sessions: lines.length }
}
