import { setTimeout as sleep } from 'node:timers/promises'
import { buildRunSpec } from '../../../testkit/src/build-run-spec.ts'
import { ActivitySampler, type SampledRun } from '../../src/observe/activity-sampler.ts'
import { DockerRuntime } from '../../src/runtime/docker/docker-runtime.ts'
import { ProcessRuntime } from '../../src/runtime/process/process-runtime.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { realWorld } from '../../src/world.ts'
import type { BenchContext, Benchmark, Row } from '../benchmark.ts'
import { machineMs } from '../clock.ts'
import { BareContainers, removeContainersOf } from '../containers.ts'
import { measuredRuntime } from '../measured-runtime.ts'
import { median, roundFigure } from '../statistics.ts'

const RUNS = 100
const CONTAINERS = 10
const INTERVAL_MS = 5_000
/** Two processes a run, as a runner with a tool has. */
const COMMAND = ['/bin/sh', '-c', 'sleep 100000 & wait']

/** What it costs the host to look at what a hundred runs use. */
export const sampling: Benchmark = {
  name: 'sampling',
  about: `${RUNS} running sessions sampled every ${INTERVAL_MS / 1000} s`,
  run: async (context) => [...(await measureProcesses(context)), await measureContainers(context)],
}

async function measureProcesses(context: BenchContext): Promise<Row[]> {
  const installId = realWorld.newId('bench-')
  const dataDir = await context.scratch.newDir('sampling')
  const runtime = new ProcessRuntime({ world: realWorld, installId, dataDir, hostEnvironment: process.env })
  try {
    context.say(`starting ${RUNS} runs`)
    const runs = await startRuns(runtime, RUNS, { root: dataDir, installId, image: null })
    context.say('without sampling')
    const atRest = await cpuShareOver(context.isQuick ? 5_000 : 60_000)
    context.say('with sampling')
    const { cpuMs, told, share, sampledShare } = await sampleFor(runtime, runs, context.isQuick ? 11_000 : 61_000)
    if (told < RUNS) throw new Error(`The last sample told of ${told} runs, not of ${RUNS}`)
    const note = `of one core, by the CPU of ${cpuMs.length} samples, ${roundFigure(median(cpuMs))} ms at the median, ${roundFigure(Math.max(...cpuMs))} ms at most; ${RUNS * 2} processes in runs; the whole process ${roundFigure(share)} % against ${roundFigure(atRest)} % without`
    return [{ what: `sampling ${RUNS} process runs`, value: sampledShare, unit: '%', target: { atMost: 1 }, note }]
  } finally {
    await endRuns(runtime)
  }
}

async function measureContainers(context: BenchContext): Promise<Row> {
  const row = { what: `sampling ${CONTAINERS} containers, a sample`, unit: 'ms', target: { atMost: 5 } } as const
  const containers = await BareContainers.prepare()
  if (typeof containers === 'string') return { ...row, value: null, note: containers }
  const installId = realWorld.newId('bench-')
  const root = await context.scratch.newDir('sampling')
  const options = { world: realWorld, installId, socketPath: null, callTimeoutMs: 60_000, node: 'image' } as const
  const runtime = new DockerRuntime(options)
  try {
    context.say(`starting ${CONTAINERS} containers`)
    const runs = await startRuns(runtime, CONTAINERS, { root, installId, image: containers.image })
    // The engine is asked once.
    await runtime.sample(runs.map(({ handle }) => handle))
    const { cpuMs, told } = await sampleFor(runtime, runs, context.isQuick ? 11_000 : 31_000)
    if (told < CONTAINERS) return { ...row, value: null, note: `only ${told} of them can be seen from here` }
    const note = `CPU, the median of ${cpuMs.length}, ${roundFigure(Math.max(...cpuMs))} ms at most; 1 % of a core for ${RUNS} of them is 50 ms`
    return { ...row, value: median(cpuMs), note }
  } finally {
    await runtime.close()
    await removeContainersOf(installId)
  }
}

interface RunsAsked {
  readonly root: string
  readonly installId: string
  readonly image: string | null
}

async function startRuns(
  runtime: Runtime,
  count: number,
  { root, installId, image }: RunsAsked,
): Promise<SampledRun[]> {
  const runs: SampledRun[] = []
  for (let index = 0; index < count; index += 1) {
    const name = realWorld.newId('bench-run-')
    const user = runtime.userOf(null)
    const spec = await buildRunSpec({ root, installId, name, user, runnerCommand: COMMAND }, { image })
    const handle = await runtime.create(spec)
    await runtime.start(handle)
    runs.push({ name, handle })
  }
  return runs
}

/** Samples as a host does, for so long. */
async function sampleFor(runtime: Runtime, runs: readonly SampledRun[], forMs: number) {
  const measured = measuredRuntime(runtime)
  const sampler = new ActivitySampler({
    world: realWorld,
    runtimes: new Map([[runtime.name, measured.runtime]]),
    listRuns: () => runs,
    onSample: () => {},
    intervalMs: INTERVAL_MS,
  })
  sampler.start()
  const share = await cpuShareOver(forMs)
  sampler.stop()
  const { cpuMs, told } = measured.figures()
  const sampledShare = (cpuMs.reduce((sum, ms) => sum + ms, 0) / (cpuMs.length * INTERVAL_MS)) * 100
  return { cpuMs, told, share, sampledShare }
}

/** CPU of this process over a time, in % of one core. */
async function cpuShareOver(forMs: number): Promise<number> {
  const [before, beganMs] = [process.cpuUsage(), machineMs()]
  await sleep(forMs)
  const { user, system } = process.cpuUsage(before)
  return ((user + system) / 1000 / (machineMs() - beganMs)) * 100
}

async function endRuns(runtime: Runtime): Promise<void> {
  const found = await runtime.list()
  const exited = new Set<string>()
  const { promise: allExited, resolve } = Promise.withResolvers<void>()
  const stop = runtime.onExit((name) => {
    exited.add(name)
    if (exited.size >= found.length) resolve()
  })
  for (const { handle } of found) await runtime.signal(handle, 'SIGKILL')
  if (found.length > 0) await allExited
  stop()
  await runtime.close()
}
