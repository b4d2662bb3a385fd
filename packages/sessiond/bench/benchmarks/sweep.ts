import type { GroupOptions } from 'sessiond'
import { BenchHost } from '../bench-host.ts'
import type { BenchContext, Benchmark, Row } from '../benchmark.ts'
import { buildAnswerGroup } from '../build-programs.ts'
import { registerSessions } from '../fill-store.ts'
import type { SweepFigures } from '../host-commands.ts'
import { median, roundFigure, spreadOf } from '../statistics.ts'
import { startRuns } from '../turns.ts'

const REGISTERED = [1_000, 10_000, 100_000]
const RUNNING = 10

/** What a sweep costs, by the number of sessions that are registered and idle. */
export const sweep: Benchmark = {
  name: 'sweep',
  about: `a sweep of 1,000, 10,000 and 100,000 registered sessions, ${RUNNING} of them running`,
  async run(context) {
    const group = await buildAnswerGroup(context.scratch)
    const figures: SweepFigures[] = []
    for (const registered of REGISTERED) figures.push(await measure(context, group, registered))
    const rows = REGISTERED.map((registered, index) => rowOf(registered, figures[index]))
    const ratio = (rows.at(-1)?.value ?? 0) / (rows[0]?.value ?? 1)
    return [
      ...rows,
      { what: 'sweep, 100,000 against 1,000', value: ratio, unit: 'ratio', target: { atMost: 1.5 }, note: '' },
    ]
  },
}

async function measure(context: BenchContext, group: GroupOptions, registered: number): Promise<SweepFigures> {
  const dataDir = await context.scratch.newDir('sweep')
  context.say(`registering ${registered} sessions`)
  await registerSessions(dataDir, 'bench', registered - RUNNING)
  await using host = await BenchHost.start(context.scratch, { dataDir, groups: { bench: group } })
  await startRuns(host, RUNNING)
  context.say(`sweeping ${registered} sessions`)
  return await host.ask('sweep', { times: context.isQuick ? 5 : 40, warmUps: context.isQuick ? 3 : 20 })
}

function rowOf(registered: number, figures: SweepFigures | undefined): Row {
  if (figures === undefined) throw new Error('A sweep was not measured')
  const { cpuMs, tookMs, sessions, readersCpuMsPerSweep, maxBlockMs } = figures
  if (sessions < RUNNING) throw new Error(`The sweep looked at ${sessions} sessions, not ${RUNNING}`)
  const readers = readersCpuMsPerSweep === null ? 'not measured' : `${roundFigure(readersCpuMsPerSweep)} ms`
  return {
    what: `sweep, ${registered.toLocaleString('en-US')} registered, CPU`,
    value: median(cpuMs),
    unit: 'ms',
    target: { atMost: 5 },
    note: `CPU of the host process, median; ${spreadOf(cpuMs)}; took ${roundFigure(median(tookMs))} ms; its mailbox readers ${readers} CPU a sweep; event loop blocked ${roundFigure(maxBlockMs)} ms at most`,
  }
}
