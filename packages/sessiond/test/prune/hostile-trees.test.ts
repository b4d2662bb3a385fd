import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { age, contentsOf, makeBed, type PruneBed, ruleOf, snapshot, staysOf } from './prune-bed.ts'
import { startProgram } from './start-program.ts'

/** A file, a file in a folder, and a folder that is a unit; outside the same names lie, as old. */
async function prepare(): Promise<{ bed: PruneBed; outside: Map<string, string>; rules: ReturnType<typeof ruleOf>[] }> {
  const bed = await makeBed()
  for (const place of ['.', '../outside']) {
    for (const path of ['a.log', 'sub/b.log', 'unit/in/c']) bed.write(`${place}/${path}`, { text: 'same' })
    for (const path of ['unit/in', 'unit']) age(join(bed.root, place, path))
  }
  return { bed, outside: contentsOf(bed.outside), rules: [ruleOf(bed.root, ['*.log', 'sub/*.log', 'unit/'])] }
}

test.each<
  [what: string, change: (root: string, outside: string) => void, stays: Record<string, number>, left: string[]]
>([
  [
    'a file that became a link',
    (root, outside) => {
      unlinkSync(join(root, 'a.log'))
      symlinkSync(join(outside, 'a.log'), join(root, 'a.log'))
    },
    { changed: 1 },
    ['a.log', 'sub'],
  ],
  [
    'a folder on the way that became a link',
    (root, outside) => {
      renameSync(join(root, 'sub'), join(root, 'moved'))
      symlinkSync(join(outside, 'sub'), join(root, 'sub'))
    },
    { changed: 1 },
    ['moved', 'moved/b.log', 'sub'],
  ],
  [
    'a unit that became a link',
    (root, outside) => {
      rmSync(join(root, 'unit'), { recursive: true })
      symlinkSync(join(outside, 'unit'), join(root, 'unit'))
    },
    { changed: 1 },
    ['sub', 'unit'],
  ],
  [
    'a folder within a unit that became a link',
    (root, outside) => {
      renameSync(join(root, 'unit/in'), join(root, 'moved'))
      symlinkSync(join(outside, 'unit/in'), join(root, 'unit/in'))
    },
    { changed: 1 },
    ['moved', 'moved/c', 'sub', 'unit', 'unit/in'],
  ],
  [
    'a root that became a link',
    (root, outside) => {
      renameSync(root, `${root}-moved`)
      symlinkSync(outside, root)
    },
    { changed: 3 },
    ['a.log', 'sub', 'sub/b.log', 'unit', 'unit/in', 'unit/in/c'],
  ],
  [
    'another file of the same name, length and time',
    (root) => {
      const { atime, mtime } = statSync(join(root, 'a.log'))
      writeFileSync(join(root, 'new'), 'same')
      renameSync(join(root, 'new'), join(root, 'a.log'))
      utimesSync(join(root, 'a.log'), atime, mtime)
    },
    { changed: 1 },
    ['a.log', 'sub'],
  ],
  ['a file that was touched', (root) => age(join(root, 'a.log'), 0), { changed: 1 }, ['a.log', 'sub']],
  [
    'a file that grew and was made to look as old',
    (root) => {
      const { atime, mtime } = statSync(join(root, 'a.log'))
      writeFileSync(join(root, 'a.log'), 'more', { flag: 'a' })
      utimesSync(join(root, 'a.log'), atime, mtime)
    },
    { changed: 1 },
    ['a.log', 'sub'],
  ],
  [
    'a unit that was written to, deep within',
    (root) => writeFileSync(join(root, 'unit/in/c'), 'same'),
    { changed: 1 },
    ['sub', 'unit', 'unit/in', 'unit/in/c'],
  ],
  [
    'all that vanished',
    (root) => {
      for (const name of ['a.log', 'sub', 'unit']) rmSync(join(root, name), { recursive: true })
    },
    { vanished: 3 },
    [],
  ],
  [
    'a file that became a folder, and a unit that became a file',
    (root) => {
      unlinkSync(join(root, 'a.log'))
      mkdirSync(join(root, 'a.log'))
      rmSync(join(root, 'unit'), { recursive: true })
      writeFileSync(join(root, 'unit'), '')
    },
    { changed: 2 },
    ['a.log', 'sub', 'unit'],
  ],
])('(G1, G2, G3) leaves alone %s', async (_what, change, stays, left) => {
  const { bed, outside, rules } = await prepare()
  await using _bed = bed
  const plan = await bed.plan(rules)
  expect(plan.removals).toHaveLength(3)
  change(bed.root, bed.outside)
  expect(staysOf(await bed.apply(plan))).toEqual(stays)
  const isRootGone = stays.changed === 3
  expect([...snapshot(isRootGone ? `${bed.root}-moved` : bed.root).keys()].sort()).toEqual(left)
  expect(contentsOf(bed.outside)).toEqual(outside)
})

test('(G3) a unit deeper than any path may be long is measured and removed', async () => {
  await using bed = await makeBed()
  makeDeep(bed.root, 'unit', 2_500)
  const plan = await bed.plan([ruleOf(bed.root, ['{id}/'])])
  expect(plan.removals).toMatchObject([{ path: 'unit', files: 2_500 }])
  expect(staysOf(await bed.apply(plan))).toEqual({})
  expect(readdirSync(bed.root)).toEqual([])
})

test('(G3) files are looked for down to a depth, and what lies deeper is counted and stays', async () => {
  await using bed = await makeBed()
  makeDeep(bed.root, 'deep', 300)
  const plan = await bed.plan([ruleOf(bed.root, ['**/f'])])
  expect(plan.removals).toHaveLength(200)
  expect(staysOf(plan)).toEqual({ unreadable: 1 })
  expect(staysOf(await bed.apply(plan))).toEqual({})
})

test('(G3) a path longer than any program would use is not looked at, nor moved to a trash whose paths are too long', async () => {
  await using bed = await makeBed({ removals: 30 })
  makeDeep(bed.root, 'n'.repeat(200), 30)
  const plan = await bed.plan([ruleOf(bed.root, ['**/f'])])
  expect(staysOf(plan)).toEqual({ unreadable: 1 })
  // 20 fit into a path; the longer ones weigh several, so the plan has a part of them.
  expect(plan.removals.length).toBeGreaterThan(3)
  expect(plan.removals.length).toBeLessThan(20)
  expect(plan.isPartial).toBe(true)
  await using roomy = await makeBed()
  const deepest = await roomy.plan([ruleOf(bed.root, ['**/f'])])
  expect(deepest.removals).toHaveLength(20)
  const trashDir = join(bed.dir, 'trash'.padEnd(100, 'h'))
  const applied = await bed.apply(deepest, { trashDir })
  expect(applied.next).toBe(20)
  expect(staysOf(applied)).toEqual({ unreadable: 1 })
})

test('a unit that is renamed to what a removal leaves is judged by its own name', async () => {
  await using bed = await makeBed()
  bed.write('.sessiond-pruning.held/x', { ageMs: 0 })
  bed.write('.sessiond-pruning.free/x', { ageMs: 0 })
  const rules = [ruleOf(bed.root, ['{id}/'], { protects: ['id'] })]
  const none = new Set<string>()
  const active = {
    ids: new Set(['held']),
    openSessions: none,
    closedSessions: none,
    workingSessions: none,
    liveRuns: none,
    hasSessions: true,
  }
  const plan = await bed.plan(rules, { active })
  expect(plan.removals.map(({ path }) => path)).toEqual(['.sessiond-pruning.free'])
  await bed.apply(plan, { readActive: async () => active })
  expect(readdirSync(bed.root)).toEqual(['.sessiond-pruning.held'])
})

test('(G1, G2, G3) a run that swaps folders for links as fast as it can gets nothing outside removed', async () => {
  await using bed = await makeBed()
  const rules = [ruleOf(bed.root, ['{session}/logs/**/*.log', '{session}/units/{id}/'])]
  const fill = (base: string) => {
    for (let index = 0; index < 60; index += 1) {
      bed.write(`${base}/logs/sub/deep/${index}.log`, { text: 'same' })
      bed.write(`${base}/units/u/in/${index}`, { text: 'same' })
    }
    for (const path of ['units/u/in', 'units/u']) age(join(bed.root, base, path))
  }
  fill('../outside')
  const outside = contentsOf(bed.outside)
  await using enemy = await startProgram('swap-folders', [bed.root, bed.outside])
  let removed = 0
  for (let round = 0; round < 5; round += 1) {
    // Made where the enemy is not, which would lead the test itself astray.
    fill(`../new/s${round}`)
    renameSync(join(bed.dir, `new/s${round}`), join(bed.root, `s${round}`))
    const plan = await bed.plan(rules)
    const applied = await bed.apply(plan, { batch: 7 })
    removed += applied.classes.reduce((sum, { removed: { entries } }) => sum + entries, 0)
    expect(contentsOf(bed.outside)).toEqual(outside)
  }
  const swaps = Number(await enemy.ask('count'))
  expect(swaps).toBeGreaterThan(1_000)
  expect(removed).toBeGreaterThan(0)
}, 180_000)

test('(F6) a run that writes into units without end keeps nobody waiting, and what is left goes after it', async () => {
  await using bed = await makeBed()
  for (let unit = 0; unit < 20; unit += 1) {
    bed.write(`${unit}/in/first`)
    for (const path of ['in', '.']) age(join(bed.root, `${unit}`, path))
  }
  const rules = [ruleOf(bed.root, ['{id}/'])]
  const plan = await bed.plan(rules)
  expect(plan.removals).toHaveLength(20)
  const enemy = await startProgram('write-without-end', [bed.root])
  try {
    expect((await bed.apply(plan)).next).toBe(20)
    expect(Number(await enemy.ask('count'))).toBeGreaterThan(0)
  } finally {
    await enemy.kill()
  }
  execFileSync('find', [bed.root, '-exec', 'touch', '-h', '-d', '@1000000000', '{}', '+'])
  await bed.apply(await bed.plan(rules))
  expect(readdirSync(bed.root)).toEqual([])
})

/** Folders within one another with a file `f` in each, all old; made from within, because paths would be too long. */
function makeDeep(root: string, name: string, depth: number): void {
  const program = `
    const fs = require('node:fs')
    const at = new Date(${Date.now()} - 864000000)
    process.chdir(process.argv[1])
    for (let level = 0; level < ${depth}; level += 1) {
      fs.mkdirSync('${name}')
      process.chdir('${name}')
      fs.writeFileSync('f', '')
      fs.utimesSync('f', at, at)
    }
    for (let level = 0; level < ${depth}; level += 1) {
      fs.utimesSync('.', at, at)
      process.chdir('..')
    }`
  execFileSync(process.execPath, ['-e', program, root])
}
