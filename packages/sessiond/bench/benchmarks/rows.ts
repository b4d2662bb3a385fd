import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { GroupOptions } from 'sessiond'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { PrunedRows, RowPruning } from '../../src/store/store.ts'
import { realWorld } from '../../src/world.ts'
import { BenchHost } from '../bench-host.ts'
import type { BenchContext, Benchmark, Row } from '../benchmark.ts'
import { buildAnswerGroup } from '../build-programs.ts'
import { addHistory } from '../fill-store.ts'
import { median, percentile, roundFigure, spreadOf } from '../statistics.ts'

/** Each with a reply, its delivery and five lines in the journal: a million rows. */
const MESSAGES = 125_000
const SESSION = { group: 'bench', name: 'old', sinks: ['hook'] }
const DAY_MS = 86_400_000
const MB = 1024 * 1024

/** Steps of one kind, each a time in which the event loop does nothing else. */
interface Steps {
  readonly tookMs: readonly number[]
  readonly allMs: number
}

/** What it takes to clean a store up, and what that gives back. */
export const rows: Benchmark = {
  name: 'rows',
  about: 'removing a million rows whose time is over, while nobody waits, and giving their room back to the disk',
  async run(context) {
    const count = context.isQuick ? MESSAGES / 25 : MESSAGES
    const group = await buildAnswerGroup(context.scratch)
    const dataDir = await context.scratch.newDir('rows')
    context.say(`storing ${count} messages with all that comes of them`)
    await addHistory(dataDir, SESSION, count)
    const sweepBefore = await measureSweep(context, group, dataDir)
    const fullBytes = await bytesOf(dataDir)
    const store = await openStore({ dataDir, world: realWorld })
    try {
      const pass = passAt(Date.now() + 400 * DAY_MS)
      context.say('looking at what stays')
      const kept = await prune(store, passAt(Date.now()))
      if (kept.total !== 0) throw new Error(`${kept.total} rows went before their time`)
      context.say('pruning')
      const pruned = await prune(store, pass)
      context.say('giving room back')
      const given = await giveBack(store)
      await store.close()
      const leftBytes = await bytesOf(dataDir)
      const sweepAfter = await measureSweep(context, group, dataDir)
      return [
        {
          what: `rows removed, of ${pruned.total.toLocaleString('en-US')}`,
          value: pruned.total / (pruned.steps.allMs / 1000),
          unit: '/s',
          target: { atLeast: 50_000 },
          note: `deliveries included; in ${roundFigure(pruned.steps.allMs / 1000)} s`,
        },
        stepsRow('one batch of them', pruned.steps, 20),
        stepsRow('one look at rows that stay', kept.steps, 20),
        stepsRow('one piece of room given back', given, 20),
        {
          what: 'room given back to the disk',
          value: (fullBytes - leftBytes) / MB,
          unit: 'MB',
          target: { atLeast: (0.95 * fullBytes) / MB },
          note: `of ${roundFigure(fullBytes / MB)} MB, in ${roundFigure(given.allMs / 1000)} s`,
        },
        {
          what: 'sweep after against before, CPU',
          value: sweepAfter / sweepBefore,
          unit: 'ratio',
          target: { atMost: 1.5 },
          note: `medians: ${roundFigure(sweepAfter)} ms after, ${roundFigure(sweepBefore)} ms before`,
        },
      ]
    } finally {
      await store.close()
    }
  },
}

function passAt(nowMs: number): RowPruning {
  const keptMs = 30 * DAY_MS
  const retention = {
    messagesMs: keptMs,
    repliesMs: keptMs,
    deadLettersMs: keptMs,
    journalMs: keptMs,
    runsMs: keptMs,
    ledgerMs: keptMs,
    sessionsMs: null,
  }
  return { nowMs, retention, groups: new Map() }
}

async function prune(store: SqliteStore, pass: RowPruning): Promise<{ total: number; steps: Steps }> {
  let total = 0
  let next: Awaited<ReturnType<SqliteStore['pruneRows']>> | null = null
  const steps = await timeEach(async () => {
    next = await store.pruneRows(pass, next?.cursor ?? null)
    total += sumOf(next.removed)
    return next.cursor !== null
  })
  return { total, steps }
}

/** Each reply had one delivery, which goes with it and is not counted by itself. */
function sumOf({ messages, replies, deadLetters, journal, runs }: PrunedRows): number {
  return messages + 2 * replies + deadLetters + journal + runs
}

function giveBack(store: SqliteStore): Promise<Steps> {
  return timeEach(() => store.giveBackSpace())
}

async function timeEach(step: () => Promise<boolean>): Promise<Steps> {
  const tookMs: number[] = []
  for (let isMore = true; isMore; ) {
    const startMs = performance.now()
    isMore = await step()
    tookMs.push(performance.now() - startMs)
  }
  return { tookMs, allMs: tookMs.reduce((sum, each) => sum + each, 0) }
}

function stepsRow(what: string, { tookMs }: Steps, atMostMs: number): Row {
  return {
    what: `${what}, p99`,
    value: percentile(tookMs, 0.99),
    unit: 'ms',
    target: { atMost: atMostMs },
    note: spreadOf(tookMs),
  }
}

async function measureSweep(context: BenchContext, bench: GroupOptions, dataDir: string): Promise<number> {
  await using host = await BenchHost.start(context.scratch, { dataDir, groups: { bench } })
  const { cpuMs } = await host.ask('sweep', { times: context.isQuick ? 5 : 40, warmUps: context.isQuick ? 3 : 20 })
  return median(cpuMs)
}

async function bytesOf(dataDir: string): Promise<number> {
  return (await stat(join(dataDir, 'store.db'))).size
}
