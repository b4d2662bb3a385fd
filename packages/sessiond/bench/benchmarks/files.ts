import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ActiveReferences, ArtifactClass, PrunePlan } from '../../src/model/artifact.ts'
import { createArtifactFiles } from '../../src/prune/files/create-artifact-files.ts'
import { realWorld } from '../../src/world.ts'
import type { BenchContext, Benchmark, Row } from '../benchmark.ts'
import { median, spreadOf } from '../statistics.ts'

const FOLDERS = 200
const BULK = 200
const DAY_MS = 86_400_000
const OLD = new Date(Date.now() - 30 * DAY_MS)
const BATCH = 500
const MB = 1_000_000

/** What looking at, and removing, many small files costs. */
export const files: Benchmark = {
  name: 'files',
  about: '200,000 small files: planned when all of them are due, and when none is, and removed',
  async run(context) {
    const perFolder = context.isQuick ? 10 : 1_000
    const root = await makeTree(context, perFolder)
    const times = context.isQuick ? 1 : 5
    const none = await measurePlans(root, times, 3_650 * DAY_MS, 0)
    const all = await measurePlans(root, times, DAY_MS, FOLDERS * perFolder)
    const removed = await measureRemoval(root)
    const what = (FOLDERS * perFolder).toLocaleString('en-US')
    return [
      planRow(`plan of ${what} small files, all of them due`, all.ms),
      planRow('the same, none of them due', none.ms),
      {
        what: 'the same, all due, what the host grows by',
        value: all.grownMb,
        unit: 'MB',
        target: { atMost: 150 },
        note: `resident memory, the plan being held; none due ${Math.round(none.grownMb)} MB`,
      },
      {
        what: 'small files removed',
        value: removed,
        unit: '/s',
        target: null,
        note: `checked again one by one, ${BATCH} a batch`,
      },
    ]
  },
}

function planRow(what: string, ms: readonly number[]): Row {
  const note = `its process included; ${spreadOf(ms)}`
  return { what, value: median(ms) / 1_000, unit: 's', target: { atMost: 2 }, note }
}

async function makeTree(context: BenchContext, perFolder: number): Promise<string> {
  const root = await context.scratch.newDir('files')
  context.say(`writing ${FOLDERS * perFolder} files`)
  for (let folder = 0; folder < FOLDERS; folder += 1) {
    const path = join(root, `session-${folder}`)
    await mkdir(path)
    for (let from = 0; from < perFolder; from += BULK) {
      const names = Array.from({ length: Math.min(BULK, perFolder - from) }, (_, index) => `${from + index}.jsonl`)
      await Promise.all(names.map((name) => writeOld(join(path, name))))
    }
  }
  return root
}

async function writeOld(path: string): Promise<void> {
  await writeFile(path, 'x')
  await utimes(path, OLD, OLD)
}

async function measurePlans(
  root: string,
  times: number,
  maxAgeMs: number,
  expected: number,
): Promise<{ readonly ms: readonly number[]; readonly grownMb: number }> {
  const ms: number[] = []
  let grownMb = 0
  for (let time = 0; time < times; time += 1) {
    const before = process.memoryUsage().rss
    const beganMs = performance.now()
    const { removals } = await planAll(root, maxAgeMs)
    ms.push(performance.now() - beganMs)
    // The first shows it: the later ones find memory that the process has got already.
    if (time === 0) grownMb = (process.memoryUsage().rss - before) / MB
    if (removals.length !== expected) throw new Error(`${removals.length} of ${expected} files are due`)
  }
  return { ms, grownMb }
}

async function measureRemoval(root: string): Promise<number> {
  const plan = await planAll(root, DAY_MS)
  const pruner = createArtifactFiles({ world: realWorld })
  const beganMs = performance.now()
  const { classes } = await pruner.apply({
    plan,
    batch: BATCH,
    readActive: async () => ACTIVE,
    trashDir: null,
    mayGoOn: async () => true,
    onProgress: () => {},
  })
  const tookMs = performance.now() - beganMs
  await pruner.close()
  const removed = classes[0]?.removed.entries ?? 0
  if (removed !== plan.removals.length) throw new Error(`${removed} of ${plan.removals.length} files were removed`)
  return (removed * 1_000) / tookMs
}

async function planAll(root: string, maxAgeMs: number): Promise<PrunePlan> {
  const pruner = createArtifactFiles({ world: realWorld })
  try {
    return await pruner.plan({
      rules: [transcripts(root, maxAgeMs)],
      active: ACTIVE,
      nowMs: Date.now(),
      pressure: null,
    })
  } finally {
    await pruner.close()
  }
}

function transcripts(root: string, maxAgeMs: number): ArtifactClass {
  return {
    name: 'transcripts',
    group: 'bench',
    root,
    patterns: ['{session}/{id}.jsonl'],
    ageBy: 'writing',
    maxAgeMs,
    maxCount: null,
    maxBytes: null,
    mayGoEarly: true,
    keep: ['latest'],
    protects: ['id', 'session'],
  }
}

const ACTIVE: ActiveReferences = {
  ids: new Set(['not-there']),
  openSessions: new Set(['bench/not-there']),
  closedSessions: new Set(),
  workingSessions: new Set(),
  liveRuns: new Set(),
  hasSessions: true,
}
