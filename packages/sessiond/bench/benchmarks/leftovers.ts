import { monitorEventLoopDelay } from 'node:perf_hooks'
import { DockerRuntime } from '../../src/runtime/docker/docker-runtime.ts'
import { prepareDataDir } from '../../src/store/data-dir.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import { LeftoverSweep } from '../../src/sweep/leftover-sweep.ts'
import { realWorld } from '../../src/world.ts'
import type { BenchContext, Benchmark } from '../benchmark.ts'
import { BareContainers, removeContainersOf } from '../containers.ts'
import { roundFigure } from '../statistics.ts'

const RUNNING = 20

/** How long a sweep needs for what an earlier host left on the engine. */
export const leftovers: Benchmark = {
  name: 'leftovers',
  about: '1,000 containers that no run knows, gone in one sweep',
  async run(context) {
    const count = context.isQuick ? 50 : 1_000
    const what = `${count.toLocaleString('en-US')} leftover containers gone`
    const containers = await BareContainers.prepare()
    const target = { atMost: 10 }
    if (typeof containers === 'string') return [{ what, value: null, unit: 's', target, note: containers }]
    const gone = await measure(context, containers, count, false)
    const killed = await measure(context, containers, RUNNING, true)
    return [
      {
        what,
        value: gone.tookMs / 1_000,
        unit: 's',
        target,
        note: `created, never started; ${gone.lines} journal lines`,
      },
      {
        what: 'the host’s loop meanwhile, longest wait',
        value: gone.longestWaitMs,
        unit: 'ms',
        target: { atMost: 100 },
        note: '',
      },
      {
        what: 'a running leftover killed and gone',
        value: killed.tookMs / RUNNING,
        unit: 'ms',
        target: null,
        note: `each of ${RUNNING}; the engine ends one after the other; ${roundFigure(killed.tookMs)} ms together`,
      },
    ]
  },
}

interface Figures {
  readonly tookMs: number
  readonly longestWaitMs: number
  readonly lines: number
}

/** Leaves containers of an install of its own and sweeps them away, journal included. */
async function measure(
  context: BenchContext,
  containers: BareContainers,
  count: number,
  isRunning: boolean,
): Promise<Figures> {
  const dataDir = await context.scratch.newDir('leftovers')
  await prepareDataDir(dataDir)
  const store = await openStore({ dataDir, world: realWorld })
  const { installId } = store
  const options = { world: realWorld, installId, socketPath: null, callTimeoutMs: 20_000, node: 'image' } as const
  const runtime = new DockerRuntime(options)
  try {
    context.say(`leaving ${count} containers`)
    await containers.leave(installId, count, isRunning)
    const sweep = new LeftoverSweep({ world: realWorld, store, config: { groups: new Map() } })
    const delays = monitorEventLoopDelay({ resolution: 5 })
    delays.enable()
    const startedMs = performance.now()
    const gone = await sweep.clear(runtime)
    const tookMs = performance.now() - startedMs
    delays.disable()
    const left = await runtime.list()
    if (gone !== count || left.length > 0) throw new Error(`${gone} of ${count} are gone, ${left.length} are left`)
    return { tookMs, longestWaitMs: delays.max / 1e6, lines: await store.lastJournalId() }
  } finally {
    await removeContainersOf(installId)
    await runtime.close()
    await store.close()
  }
}
