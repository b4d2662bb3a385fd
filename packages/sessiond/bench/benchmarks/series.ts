import { DEFAULT_PLAN } from '../../src/decide/parse-schedule.ts'
import type { NewSeries, SeriesPlan } from '../../src/model/series.ts'
import { prepareDataDir } from '../../src/store/data-dir.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { realWorld } from '../../src/world.ts'
import { BenchHost } from '../bench-host.ts'
import type { BenchContext, Benchmark, Row } from '../benchmark.ts'
import { buildAnswerGroup } from '../build-programs.ts'
import { median, roundFigure, spreadOf } from '../statistics.ts'
import { startRuns } from '../turns.ts'

const MINUTE_MS = 60_000
const SESSIONS = 100
const RUNNING = 10
const BULK = 500
const PROVIDER = { maxParkMs: 0, waitMs: 0, maxWaitMs: 0, ramp: 1, openFrom: 1 }

/** What series cost that are not due, and those that all are. */
export const series: Benchmark = {
  name: 'series',
  about: '100,000 series of which none is due, and 10,000 that are due in one minute',
  async run(context) {
    const [armed, due] = context.isQuick ? [1_000, 500] : [100_000, 10_000]
    return [...(await measureArmed(context, armed)), ...(await measureDue(context, due))]
  },
}

/** The sweep of a host with so many armed series against that of one without. */
async function measureArmed(context: BenchContext, count: number): Promise<Row[]> {
  const without = await measureSweep(context, 0)
  const withAll = await measureSweep(context, count)
  const what = count.toLocaleString('en-US')
  return [
    {
      what: `sweep, ${what} series armed and none due, CPU`,
      value: median(withAll),
      unit: 'ms',
      target: { atMost: 5 },
      note: `median; ${spreadOf(withAll)}; without a series ${roundFigure(median(without))} ms`,
    },
    {
      what: `sweep, ${what} series armed against none`,
      value: median(withAll) / median(without),
      unit: 'ratio',
      target: { atMost: 1.2 },
      note: '',
    },
  ]
}

async function measureSweep(context: BenchContext, count: number): Promise<readonly number[]> {
  const group = await buildAnswerGroup(context.scratch)
  const dataDir = await context.scratch.newDir('series')
  context.say(`arming ${count} series`)
  await withStore(dataDir, (store) => arm(store, count, { kind: 'cron', expression: '0 9 1 1 *' }))
  await using host = await BenchHost.start(context.scratch, { dataDir, groups: { bench: group } })
  await startRuns(host, RUNNING)
  const figures = await host.ask('sweep', { times: context.isQuick ? 5 : 40, warmUps: context.isQuick ? 3 : 20 })
  return figures.cpuMs
}

/** From the minute in which all are due until all have fired, and until all have ended and are armed anew. */
async function measureDue(context: BenchContext, count: number): Promise<Row[]> {
  const dataDir = await context.scratch.newDir('due')
  context.say(`${count} series due in one minute`)
  const [firedMs, rearmedMs] = await withStore(dataDir, async (store) => {
    const nowMs = Date.now()
    await arm(store, count, { kind: 'every', everyMs: MINUTE_MS, anchorMs: nowMs })
    const dueMs = nowMs + MINUTE_MS
    const beganMs = performance.now()
    for (let isMore = true; isMore; ) {
      isMore = (await store.stepDueSeries({ nowMs: dueMs, lateBefore: 0, sinksOf: () => [] })).isMore
    }
    const fired = performance.now() - beganMs
    await Promise.all(Array.from({ length: SESSIONS }, (_, index) => finish(store, `bench/s${index}`, dueMs)))
    const rearmed = performance.now() - beganMs
    const left = await store.listSeries({ states: ['active'], limit: count })
    if (left.some(({ nextAtMs }) => nextAtMs !== dueMs + MINUTE_MS)) throw new Error('Not every series is armed anew')
    return [fired, rearmed]
  })
  const what = count.toLocaleString('en-US')
  return [
    { what: `${what} series due in one minute, all fired`, value: firedMs / 1_000, unit: 's', target: null, note: '' },
    {
      what: 'the same, all ended and armed anew',
      value: rearmedMs / 1_000,
      unit: 's',
      target: { atMost: 10 },
      note: `in ${SESSIONS} sessions; one process, the store's work without the agents'`,
    },
  ]
}

async function withStore<T>(dataDir: string, work: (store: Store) => Promise<T>): Promise<T> {
  await prepareDataDir(dataDir)
  const store = await openStore({ dataDir, world: realWorld })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

type Timing = { kind: 'cron'; expression: string } | { kind: 'every'; everyMs: number; anchorMs: number }

async function arm(store: Store, count: number, timing: Timing): Promise<void> {
  const nowMs = timing.kind === 'every' ? timing.anchorMs : Date.now()
  for (let from = 0; from < count; from += BULK) {
    const indexes = Array.from({ length: Math.min(BULK, count - from) }, (_, offset) => from + offset)
    const made = await Promise.all(indexes.map((index) => store.createSeries(newSeries(index, timing), nowMs)))
    const refused = made.find((each) => each instanceof Error)
    if (refused !== undefined) throw refused
  }
}

function newSeries(index: number, timing: Timing): NewSeries {
  const schedule: SeriesPlan['schedule'] =
    timing.kind === 'every' ? timing : { ...timing, seconds: false, gap: 'after', repeated: 'first' }
  return {
    id: `t-${index}`,
    sessionId: `bench/s${index % SESSIONS}`,
    group: 'bench',
    plan: { ...DEFAULT_PLAN, schedule },
    kind: 'task',
    content: JSON.stringify({ text: `Task ${index}.` }),
    address: { platformId: null, channelType: null, threadId: null },
    sourceSessionId: null,
  }
}

/** One run of the session claims and completes all that is due. */
async function finish(store: Store, sessionId: string, nowMs: number): Promise<void> {
  const nameOf = (epoch: number) => `${sessionId.replace('/', '-')}-${epoch}`
  const intent = { sessionId, runtime: 'process', nameOf, maxLiveRuns: SESSIONS, probeForMs: MINUTE_MS, nowMs }
  const begun = await store.beginRun(intent)
  if (!begun.begun) throw new Error(`No run could begin: ${begun.because}`)
  const { run } = begun
  const messages = (await store.fillWindow(run, nowMs, { messages: 1_000, bytes: 64 * 1024 * 1024 }, true)) ?? []
  const settlements = messages.map(({ id, attempt }) => ({ messageId: id, attempt, to: 'completed' as const }))
  const taken = {
    run,
    nowMs,
    sinks: [],
    provider: PROVIDER,
    countedAcks: [],
    requests: [],
    sessionState: [],
    journal: [],
  }
  await store.takeOutbox({ ...taken, settlements, replies: [], takenSeq: 0 })
  const end = { run, nowMs, end: 'idle', exit: null, settlements: [], sinks: [], provider: PROVIDER } as const
  await store.endRun({ ...end, spawnFailure: null, journal: [] })
}
