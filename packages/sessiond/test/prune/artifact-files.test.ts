import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { Pressure } from '../../src/decide/decide-under-pressure.ts'
import type { PrunePlan } from '../../src/model/artifact.ts'
import type { ArtifactFiles } from '../../src/prune/artifact-files.ts'
import { createArtifactFiles } from '../../src/prune/files/create-artifact-files.ts'
import { realWorld } from '../../src/world.ts'
import {
  activeWith,
  age,
  applyAll,
  contentsOf,
  DAY_MS,
  makeBed,
  OLD_MS,
  type PruneBed,
  ruleOf,
  snapshot,
  staysOf,
  writeOld,
} from './prune-bed.ts'

test('(F5) a plan says what goes, of whom, why and how much; an apply does exactly that', async () => {
  await using bed = await makeBed()
  const old = bed.write('s1/runs/7.log', { text: 'x'.repeat(5_000) })
  bed.write('s1/runs/8.log', { ageMs: 1_000 })
  bed.write('s1/runs/7.txt')
  bed.write('s2/other/7.log')
  const { ino, dev, mtimeMs, blocks } = statSync(old)
  const nowMs = Date.now()
  const plan = await bed.plan([ruleOf(bed.root, ['{session}/runs/{epoch}.log'])], { nowMs })
  expect(plan).toEqual({
    plannedAtMs: nowMs,
    rules: plan.rules,
    removals: [
      {
        className: 'logs',
        rule: 0,
        path: 's1/runs/7.log',
        isFolder: false,
        bytes: blocks * 512,
        files: 1,
        group: 'g',
        session: 's1',
        epoch: '7',
        ids: [],
        reason: { bound: 'age', ageMs: nowMs - mtimeMs, maxAgeMs: DAY_MS },
        identity: { dev: String(dev), ino: String(ino), mtimeMs, bytes: 5_000, looks: 1 },
      },
    ],
    classes: [
      {
        name: 'logs',
        seen: { entries: 2, bytes: blocks * 512 + statSync(join(bed.root, 's1/runs/8.log')).blocks * 512 },
        removed: { entries: 1, bytes: blocks * 512 },
        stays: {},
      },
    ],
    isPartial: false,
  })
  const before = contentsOf(bed.root)
  const applied = await bed.apply(plan)
  expect(applied).toEqual({
    next: 1,
    classes: [{ name: 'logs', removed: { entries: 1, bytes: blocks * 512 }, stays: {} }],
  })
  before.delete('s1/runs/7.log')
  expect(contentsOf(bed.root)).toEqual(before)
})

test('a plan alone changes nothing, not even a time', async () => {
  await using bed = await makeBed()
  bed.write('a/1.log')
  bed.write('u/1/x')
  const before = snapshot(bed.dir)
  await bed.plan([ruleOf(bed.root, ['a/*', 'u/{id}/'])])
  expect(snapshot(bed.dir)).toEqual(before)
})

test('a folder is one unit, as old as the newest in it, as big as all of it', async () => {
  await using bed = await makeBed()
  for (const unit of ['old', 'touched', 'grown', 'deep']) {
    for (const path of ['a', 'b/c', 'b/d/e']) bed.write(`${unit}/${path}`)
    for (const path of ['b/d', 'b', '.']) age(join(bed.root, unit, path))
  }
  age(join(bed.root, 'touched'), 0)
  bed.write('grown/b/d/f', { ageMs: 0 })
  age(join(bed.root, 'grown/b/d'))
  age(join(bed.root, 'deep/b/d'), 0)
  const plan = await bed.plan([ruleOf(bed.root, ['{id}/', '**/*'])])
  expect(plan.removals.map(({ path, files, isFolder, ids }) => ({ path, files, isFolder, ids }))).toEqual([
    { path: 'old', files: 3, isFolder: true, ids: ['old'] },
  ])
  expect(staysOf(await bed.apply(plan))).toEqual({})
  expect(readdirSync(bed.root).sort()).toEqual(['deep', 'grown', 'touched'])
})

test('an entry belongs to the first rule it fits, also when the roots of rules lie within one another', async () => {
  await using bed = await makeBed()
  for (const path of ['in/a.log', 'in/b.txt', 'in/sub/c.log']) bed.write(path)
  const rules = [
    ruleOf(join(bed.root, 'in'), ['a.log'], { name: 'first', maxAgeMs: null }),
    ruleOf(bed.root, ['**/*.log'], { name: 'second' }),
    ruleOf(join(bed.root, 'in'), ['**'], { name: 'third' }),
    ruleOf(join(bed.root, 'missing'), ['**'], { name: 'fourth' }),
  ]
  const plan = await bed.plan(rules)
  expect(plan.removals.map(({ className, path }) => `${className} ${path}`).sort()).toEqual([
    'second in/sub/c.log',
    'third b.txt',
  ])
  expect(plan.classes.map(({ name, seen }) => [name, seen.entries])).toEqual([
    ['first', 1],
    ['second', 1],
    ['third', 1],
    ['fourth', 0],
  ])
  await bed.apply(plan)
  expect([...snapshot(bed.root).keys()].sort()).toEqual(['in', 'in/a.log', 'in/sub'])
})

test('(F4) what a session came to reference since the plan stays, batch by batch', async () => {
  await using bed = await makeBed()
  for (const id of ['a', 'b', 'c']) bed.write(`${id}.jsonl`, { ageMs: OLD_MS + (id === 'a' ? 2 : id === 'b' ? 1 : 0) })
  const plan = await bed.plan([ruleOf(bed.root, ['{id}.jsonl'], { protects: ['id'] })])
  expect(plan.removals.map(({ path }) => path)).toEqual(['a.jsonl', 'b.jsonl', 'c.jsonl'])
  const references = [activeWith(), activeWith(), activeWith({ ids: new Set(['c']) })]
  const applied = await bed.apply(plan, { batch: 1, readActive: async () => references.shift() ?? activeWith() })
  expect(readdirSync(bed.root)).toEqual(['c.jsonl'])
  expect(staysOf(applied)).toEqual({ active: 1 })
  expect(applied.next).toBe(3)
})

test('(F4) prunes nothing more once references cannot be read, and says where it stopped', async () => {
  await using bed = await makeBed()
  for (const name of ['a', 'b', 'c']) bed.write(name)
  const plan = await bed.plan([ruleOf(bed.root, ['*'])])
  const unreadable = new Error('unreadable')
  const readings = [Promise.resolve(activeWith()), Promise.reject(unreadable)]
  readings[1]?.catch(() => {})
  const progress: number[] = []
  const applying = bed.apply(plan, {
    batch: 1,
    readActive: () => readings.shift() ?? Promise.resolve(activeWith()),
    onProgress: ({ next }) => progress.push(next),
  })
  await expect(applying).rejects.toBe(unreadable)
  expect(progress).toEqual([1])
  expect(readdirSync(bed.root)).toHaveLength(2)
})

test('(F4) refuses to plan, and to go on, when files of sessions are there and no session is known', async () => {
  await using bed = await makeBed()
  bed.write('a.jsonl', { ageMs: 0 })
  const rules = [ruleOf(bed.root, ['{id}.jsonl'], { protects: ['id'] })]
  const nobody = activeWith({ hasSessions: false })
  await expect(bed.plan(rules, { active: nobody })).rejects.toMatchObject({ code: 'REFERENCES_IMPLAUSIBLE' })
  age(join(bed.root, 'a.jsonl'))
  const plan = await bed.plan(rules)
  const applying = bed.apply(plan, { readActive: async () => nobody })
  await expect(applying).rejects.toMatchObject({ code: 'REFERENCES_IMPLAUSIBLE' })
  expect(readdirSync(bed.root)).toEqual(['a.jsonl'])
  // What belongs to nobody may go although nobody is there.
  const free = await bed.plan([ruleOf(bed.root, ['*.jsonl'])], { active: nobody })
  await bed.apply(free, { readActive: async () => nobody })
  expect(readdirSync(bed.root)).toEqual([])
})

test('stops between two batches when told to, and says where', async () => {
  await using bed = await makeBed()
  for (const name of ['a', 'b', 'c', 'd']) bed.write(name)
  const plan = await bed.plan([ruleOf(bed.root, ['*'])])
  const answers = [true, false]
  const applied = await bed.apply(plan, { batch: 3, mayGoOn: async () => answers.shift() ?? false })
  expect(applied).toMatchObject({ next: 3, classes: [{ removed: { entries: 3 }, stays: {} }] })
  expect(readdirSync(bed.root)).toHaveLength(1)
})

test('puts aside under its path, for the host alone, and never over what lies there', async () => {
  await using bed = await makeBed()
  const trashDir = join(bed.dir, 'trash')
  const rules = [ruleOf(bed.root, ['unit/', '**/*.log']), ruleOf(bed.outside, ['**'])]
  for (let round = 0; round < 2; round += 1) {
    bed.write('a/b/1.log', { text: `log ${round}` })
    bed.write('unit/x/y', { text: 'y' })
    for (const path of ['unit/x', 'unit']) age(join(bed.root, path))
    await bed.apply(await bed.plan(rules), { trashDir })
  }
  const names = [...snapshot(trashDir)].filter(([, { kind }]) => kind === 'file').map(([path]) => path)
  expect(names.map((path) => path.split('/').slice(2).join('/')).sort()).toEqual([
    'a/b/1.log',
    'a/b/1.log',
    'unit/x/y',
    'unit/x/y',
  ])
  expect(names.every((path) => path.startsWith('logs/'))).toBe(true)
  expect(new Set(names.map((path) => path.split('/')[1])).size).toBe(2)
  expect([...snapshot(trashDir).values()].map(({ content }) => content)).toEqual(
    expect.arrayContaining(['log 0', 'log 1', 'y']),
  )
  expect(statSync(trashDir).mode & 0o777).toBe(0o700)
  expect([...snapshot(bed.root).keys()].sort()).toEqual(['a', 'a/b'])
})

test('what lies on another file system than the trash stays, and all else goes there', async ({ skip }) => {
  await using bed = await makeBed()
  const elsewhere = '/dev/shm'
  if (!isElsewhere(bed.root, elsewhere)) skip('There is no second file system here.')
  const other = realpathSync(mkdtempSync(join(elsewhere, 'prune-')))
  try {
    for (const name of ['a', 'b']) bed.write(name)
    writeOld(join(other, 'dump'))
    const rules = [ruleOf(bed.root, ['*']), ruleOf(other, ['*'], { name: 'dumps' })]
    const trashDir = join(bed.dir, 'trash')
    const applied = await bed.apply(await bed.plan(rules), { trashDir, batch: 2 })
    expect(applied).toMatchObject({
      next: 3,
      classes: [
        { name: 'logs', removed: { entries: 2 }, stays: {} },
        { name: 'dumps', removed: { entries: 0 }, stays: { elsewhere: 1 } },
      ],
    })
    expect(readdirSync(other)).toEqual(['dump'])
  } finally {
    rmSync(other, { recursive: true })
  }
  expect(readdirSync(bed.root)).toEqual([])
})

test('(G3) what is mounted below a root is not entered, though it is of the same file system', async ({ skip }) => {
  await using bed = await makeBed()
  bed.write('../outside/precious.log')
  bed.write('a.log')
  bed.write('sub/mounted/hidden.log')
  bed.write('unit/in/hidden')
  for (const path of ['../outside', 'unit/in', 'unit']) age(join(bed.root, path))
  const rules = [ruleOf(bed.root, ['unit/', '**/*.log'])]
  const whole = await bed.plan(rules)
  const points = ['sub/mounted', 'unit/in'].map((path) => join(bed.root, path))
  const mounted = points.filter((point) => spawnSync('mount', ['--bind', bed.outside, point]).status === 0)
  try {
    if (mounted.length < points.length) skip('Nothing can be mounted here.')
    // Between a plan and its removals, and before a plan.
    const applied = await bed.apply(whole)
    expect(staysOf(applied)).toEqual({ elsewhere: 1, unreadable: 1 })
    bed.write('a.log')
    const plan = await bed.plan(rules)
    expect(plan.removals.map(({ path }) => path)).toEqual(['a.log'])
    expect(staysOf(plan)).toEqual({ elsewhere: 1, unreadable: 1 })
    await bed.apply(plan)
    expect(readdirSync(bed.outside)).toEqual(['precious.log'])
    // Whoever names it as a root means it.
    const named = await bed.plan([...rules, ruleOf(join(bed.root, 'sub/mounted'), ['*.log'])])
    expect(named.removals.map(({ path }) => path)).toEqual(['precious.log'])
  } finally {
    for (const point of mounted) execFileSync('umount', [point])
  }
})

test('gives back the bytes of hard links only when all of them go', async () => {
  await using bed = await makeBed()
  const both = bed.write('1.log', { text: 'x'.repeat(9_000) })
  linkSync(both, join(bed.root, '2.log'))
  const one = bed.write('3.log', { text: 'x'.repeat(9_000) })
  linkSync(one, join(bed.outside, 'kept'))
  const inUnit = bed.write('unit/4', { text: 'x'.repeat(9_000) })
  linkSync(inUnit, join(bed.root, 'unit/5'))
  age(join(bed.root, 'unit'))
  const plan = await bed.plan([ruleOf(bed.root, ['*.log', 'unit/'])])
  const bytes = statSync(both).blocks * 512
  expect(plan.removals).toHaveLength(4)
  expect(plan.classes[0]?.removed.bytes).toBe(2 * bytes)
  await bed.apply(plan)
  expect([...snapshot(bed.outside).keys()]).toEqual(['kept'])
})

test('tells what it passes over: links, what cannot be read, times to come, names that stay', async () => {
  await using bed = await makeBed()
  const outside = join(bed.outside, 'precious.log')
  bed.write('../outside/precious.log')
  symlinkSync(outside, join(bed.root, 'link.log'))
  symlinkSync('nowhere', join(bed.root, 'dangling.log'))
  symlinkSync('.', join(bed.root, 'unit'))
  bed.write('future.log', { ageMs: -DAY_MS })
  bed.write('latest.log')
  const rules = [ruleOf(bed.root, ['*.log', 'unit/'], { keep: ['latest.log'] })]
  // Two days ago the file system had not seen it either.
  const plan = await bed.plan(rules, { nowMs: Date.now() - 2 * DAY_MS })
  expect(plan.removals).toEqual([])
  expect(staysOf(plan)).toEqual({ 'not-a-file': 3, future: 1, 'kept-name': 1 })
})

test('(F5) what is dated in the future has the age that the file system knows, and pushes nothing else out', async () => {
  await using bed = await makeBed()
  for (const name of ['1.log', '2.log', 'unit/x']) bed.write(name, { ageMs: -300_000 * DAY_MS })
  for (const path of ['1.log', 'unit']) age(join(bed.root, path), -5 * DAY_MS)
  bed.write('good.log', { ageMs: 1_000 })
  const rules = [ruleOf(bed.root, ['*.log', '{id}/'], { maxCount: 4 })]
  expect((await bed.plan(rules)).removals).toEqual([])
  const nowMs = Date.now() + 2 * DAY_MS
  const plan = await bed.plan(rules, { nowMs })
  expect(plan.removals.map(({ path }) => path).sort()).toEqual(['1.log', '2.log', 'good.log', 'unit'])
  expect(staysOf(await bed.apply(plan))).toEqual({})
  expect(readdirSync(bed.root)).toEqual([])
})

test('what is handed over with an old time is young; what is written is not', async () => {
  await using bed = await makeBed()
  for (const path of ['files/report.pdf', 'logs/a.log', 'units/u/x']) bed.write(path)
  age(join(bed.root, 'units/u'))
  const rules = [
    ruleOf(bed.root, ['files/*', 'units/{id}/'], { ageBy: 'arrival' }),
    ruleOf(bed.root, ['logs/*'], { name: 'others' }),
  ]
  const plan = await bed.plan(rules)
  expect(plan.removals.map(({ path }) => path)).toEqual(['logs/a.log'])
  const later = await bed.plan(rules, { nowMs: Date.now() + 2 * DAY_MS })
  expect(later.removals).toHaveLength(3)
  expect(staysOf(await bed.apply(later))).toEqual({})
})

test('(F5) a session with any number of files keeps no other from being cleaned, nor a full disk', async () => {
  await using bed = await makeBed({ entries: 16 })
  for (let index = 0; index < 12; index += 1) {
    for (const folder of ['logs', 'tmp']) {
      bed.write(`evil/${folder}/future${index}`, { ageMs: -DAY_MS })
      bed.write(`evil/${folder}/empty${index}`, { ageMs: 0, text: '' })
      bed.write(`evil/${folder}/old${index}`)
    }
  }
  bed.write('good/logs/big', { ageMs: 3_600_000, text: 'x'.repeat(100_000) })
  bed.write('good/logs/old')
  const rules = ['logs', 'tmp'].map((folder) => ruleOf(bed.root, [`{session}/${folder}/*`], { name: folder }))
  const pathsOf = ({ removals }: PrunePlan) => removals.map(({ path }) => path)
  const plan = await bed.plan(rules)
  expect(pathsOf(plan)).toContain('good/logs/old')
  expect(plan.isPartial).toBe(true)
  const full = await bed.plan(rules, { pressure: { usedShare: 0.95, highWaterShare: 0.9, wantedBytes: 1e9 } })
  expect(pathsOf(full)).toEqual(expect.arrayContaining(['good/logs/old', 'good/logs/big']))
})

test('(F5) on a full disk what gives back most goes first, also where the bounds are to be enough', async () => {
  await using bed = await makeBed()
  bed.write('old-small', { ageMs: OLD_MS + DAY_MS })
  bed.write('young-big', { ageMs: OLD_MS, text: 'x'.repeat(1_000_000) })
  const rules = [ruleOf(bed.root, ['*'])]
  const orderOf = async (pressure: Pressure | null) =>
    (await bed.plan(rules, { pressure })).removals.map(({ path }) => path)
  expect(await orderOf(null)).toEqual(['old-small', 'young-big'])
  const full = { usedShare: 0.95, highWaterShare: 0.9, wantedBytes: 0 }
  expect(await orderOf(full)).toEqual(['young-big', 'old-small'])
})

test('a root that is a link, or lies behind one, is not entered', async () => {
  await using bed = await makeBed()
  bed.write('../outside/sub/a.log')
  symlinkSync(bed.outside, join(bed.root, 'link'))
  const plan = await bed.plan([
    ruleOf(join(bed.root, 'link'), ['**/*.log']),
    ruleOf(join(bed.root, 'link/sub'), ['*.log']),
  ])
  expect(plan.removals).toEqual([])
  expect(staysOf(plan)).toEqual({ unreadable: 2 })
})

test('keeps so much of a plan in memory as it may, and the next goes on', async () => {
  await using bed = await makeBed({ removals: 4, entries: 8 })
  for (let index = 0; index < 10; index += 1) {
    bed.write(`a/${index}`)
    bed.write(`b/${index}`)
  }
  const rules = [ruleOf(bed.root, ['a/*']), ruleOf(bed.root, ['b/*'])]
  let plans = 0
  for (;;) {
    const plan = await bed.plan(rules)
    plans += 1
    expect(plan.removals.length).toBeLessThanOrEqual(4)
    await bed.apply(plan)
    if (!plan.isPartial) break
  }
  expect(plans).toBeGreaterThanOrEqual(5)
  expect([...snapshot(bed.root).keys()].sort()).toEqual(['a', 'b'])
}, 60_000)

test('many old files of a session that is protected do not crowd out what can go', async () => {
  await using bed = await makeBed({ entries: 3 })
  for (let index = 0; index < 20; index += 1) bed.write(`held/${index}.log`)
  bed.write('free/1.log')
  const active = activeWith({ openSessions: new Set(['g/held']) })
  const plan = await bed.plan([ruleOf(bed.root, ['{session}/*.log'], { protects: ['session'] })], { active })
  expect(plan.removals.map(({ path }) => path)).toEqual(['free/1.log'])
  expect(plan.isPartial).toBe(false)
  expect(staysOf(plan)).toEqual({ active: 20 })
})

test('holds as many descriptors after many plans and applies as before', async ({ skip }) => {
  await using bed = await makeBed()
  if (process.platform !== 'linux') skip('Descriptors are counted in /proc.')
  const rules = [ruleOf(bed.root, ['*', 'unit/'])]
  const counts: number[] = []
  for (let round = 0; round < 4; round += 1) {
    bed.write('a')
    mkdirSync(join(bed.root, 'unit'))
    age(join(bed.root, 'unit'))
    await bed.apply(await bed.plan(rules))
    counts.push(readdirSync('/proc/self/fd').length)
  }
  expect(Math.max(...counts.slice(1))).toBeLessThanOrEqual(counts[0] ?? 0)
  expect(readdirSync(bed.root)).toEqual([])
}, 60_000)

test('a plan ends early when it is told to, with what it has seen', async () => {
  await using bed = await makeBed()
  linkMany(bed, 'logs')
  let asked = 0
  await using files = closing(createArtifactFiles({ world: IMPATIENT }))
  const mayGoOn = async () => {
    asked += 1
    return asked < 2
  }
  const request = { active: activeWith(), nowMs: Date.now(), pressure: null, mayGoOn }
  const plan = await files.plan({ rules: [ruleOf(bed.root, ['logs/*'])], ...request })
  expect(asked).toBe(2)
  expect(plan.isPartial).toBe(true)
  expect(plan.removals.length).toBeLessThan(MANY)
}, 60_000)

test('a plan rests while it waits to be told whether to go on', async () => {
  await using bed = await makeBed()
  linkMany(bed, 'logs')
  const rules = [ruleOf(bed.root, ['logs/*'])]
  await using files = closing(createArtifactFiles({ world: IMPATIENT }))
  let seenMeanwhile = 0
  const mayGoOn = async () => {
    if (seenMeanwhile > 0) return true
    // As long as the whole of the plan that rests would have taken.
    seenMeanwhile = (await bed.plan(rules)).classes[0]?.seen.entries ?? 0
    rmSync(join(bed.root, 'logs'), { recursive: true })
    return true
  }
  const plan = await files.plan({ rules, active: activeWith(), nowMs: Date.now(), pressure: null, mayGoOn })
  expect(seenMeanwhile).toBe(MANY)
  expect(plan.classes[0]?.seen.entries).toBeLessThan(MANY)
}, 60_000)

test('what it was told in the middle of a batch ends there, and what comes late stops nothing that came after', async () => {
  await using bed = await makeBed()
  linkMany(bed, 'unit')
  age(join(bed.root, 'unit'))
  for (const name of ['a', 'b', 'c', 'd']) bed.write(name)
  await using files = closing(createArtifactFiles({ world: IMPATIENT }))
  const rules = [ruleOf(bed.root, ['{id}/', '*'])]
  const request = { rules, active: activeWith(), nowMs: Date.now(), pressure: null }
  let asked = 0
  const plan = await files.plan(request)
  const first = await files.apply({ ...applyAll(plan), mayGoOn: async () => asked++ < 1 })
  expect(first.next).toBeLessThan(plan.removals.length)
  // Slow to answer: by then the batch it was asked in is over, mostly, and the next one under way.
  const slow = () => new Promise<boolean>((resolve) => setTimeout(resolve, 5, true))
  const rest = await files.plan(request)
  await files.apply({ ...applyAll(rest), batch: 1, mayGoOn: slow })
  expect(readdirSync(bed.root)).toEqual([])
}, 60_000)

test('(G3) a unit with more in it than was planned stays, and is not gone through any further', async () => {
  await using bed = await makeBed()
  for (const name of ['a', 'b']) bed.write(`unit/${name}`)
  age(join(bed.root, 'unit'))
  const rules = [ruleOf(bed.root, ['{id}/'])]
  const plan = await bed.plan(rules)
  expect(plan.removals[0]?.identity.looks).toBe(22)
  for (const name of ['c', 'd']) bed.write(`unit/${name}`, { text: '' })
  age(join(bed.root, 'unit'))
  expect(staysOf(await bed.apply(plan))).toEqual({ changed: 1 })
})

test('(G3) whatever a session moves about, it has its looks, and the next one its own', async () => {
  await using bed = await makeBed({ looks: 60 })
  for (let folder = 0; folder < 9; folder += 1) bed.write(`s1/logs/${folder}/a.log`)
  bed.write('s2/logs/a.log')
  const plan = await bed.plan([ruleOf(bed.root, ['{session}/logs/**/*.log'])])
  expect(plan.removals.filter(({ session }) => session === 's1').length).toBeLessThan(3)
  expect(plan.removals.filter(({ session }) => session === 's2')).toHaveLength(1)
  expect(staysOf(plan).unreadable).toBeGreaterThan(5)
})

test('(G3) what is in the trash goes, whatever is written to it through links that are kept elsewhere', async () => {
  await using bed = await makeBed()
  bed.write('20300101T000000Z-a/logs/1/x.log')
  linkSync(join(bed.root, '20300101T000000Z-a/logs/1/x.log'), join(bed.outside, 'kept'))
  age(join(bed.root, '20300101T000000Z-a'))
  const rules = [ruleOf(bed.root, ['20300101T000000Z-a/'], { maxAgeMs: 0 })]
  const planOf = () => bed.plan(rules, { nowMs: Number.POSITIVE_INFINITY })
  const plan = await planOf()
  appendFileSync(join(bed.outside, 'kept'), 'more')
  expect(staysOf(await bed.apply(plan))).toEqual({ changed: 1 })
  expect(staysOf(await bed.apply(plan, { checks: 'same' }))).toEqual({})
  expect(readdirSync(bed.root)).toEqual([])
  // Broken off, it goes on under the name it was given.
  bed.write('.sessiond-pruning.20300101T000000Z-a/logs/1/y.log')
  await bed.apply(await planOf(), { checks: 'same' })
  expect(readdirSync(bed.root)).toEqual([])
})

test('more than fits in memory is no reason to go on when nothing of it is due', async () => {
  await using bed = await makeBed({ entries: 10 })
  for (let index = 0; index < 30; index += 1) bed.write(`${index}.log`, { text: '' })
  const rules = [ruleOf(bed.root, ['*.log'], { maxAgeMs: null, maxBytes: 1_000 })]
  expect(await bed.plan(rules)).toMatchObject({ removals: [], isPartial: false })
})

test('closing ends the removal of a large unit within, and the next plan goes on with it', async () => {
  await using bed = await makeBed()
  linkMany(bed, 'unit')
  age(join(bed.root, 'unit'))
  const rules = [ruleOf(bed.root, ['{id}/'])]
  const plan = await bed.plan(rules)
  const applying = bed.apply(plan)
  const leftover = join(bed.root, '.sessiond-pruning.unit')
  await vi.waitFor(() => statSync(leftover), { timeout: 30_000, interval: 1 })
  await bed.files.close()
  expect(await applying).toMatchObject({ next: 0, classes: [{ removed: { entries: 0 }, stays: {} }] })
  expect(readdirSync(leftover).length).toBeGreaterThan(0)
  await using files = closing(createArtifactFiles({ world: realWorld }))
  const rest = await files.plan({ rules, active: activeWith(), nowMs: Date.now(), pressure: null })
  expect((await files.apply(applyAll(rest))).classes).toMatchObject([{ removed: { entries: 1 } }])
  expect(readdirSync(bed.root)).toEqual([])
}, 60_000)

test('closing ends what is under way, and nothing begins afterwards', async () => {
  await using bed = await makeBed()
  for (let index = 0; index < 50; index += 1) bed.write(`${index}`)
  const rules = [ruleOf(bed.root, ['*'])]
  const plan = await bed.plan(rules)
  let closing: Promise<void> | undefined
  const applied = await bed.apply(plan, {
    batch: 10,
    mayGoOn: async () => {
      if (readdirSync(bed.root).length <= 30) closing ??= bed.files.close()
      return true
    },
  })
  await closing
  await bed.files.close()
  expect(readdirSync(bed.root)).toHaveLength(50 - applied.next)
  expect(applied.next).toBeLessThan(50)
  await expect(bed.plan(rules)).rejects.toMatchObject({ code: 'PRUNE_FAILED' })
  await expect(bed.apply(plan)).rejects.toMatchObject({ code: 'PRUNE_FAILED' })
})

test('a folder without permission is counted and left alone', async ({ skip }) => {
  await using bed = await makeBed()
  bed.write('shut/a.log')
  bed.write('open/a.log')
  chmodSync(join(bed.root, 'shut'), 0)
  if (process.getuid?.() === 0) skip('For this user there is no folder without permission.')
  const plan = await bed.plan([ruleOf(bed.root, ['*/a.log'])])
  expect(plan.removals.map(({ path }) => path)).toEqual(['open/a.log'])
  expect(staysOf(plan)).toEqual({ unreadable: 1 })
  chmodSync(join(bed.root, 'shut'), 0o700)
})

/** Asks at once, where a host gives it a second. */
const IMPATIENT = { ...realWorld, setTimer: (_: number, fn: () => void) => realWorld.setTimer(0, fn) }

/** So many that looking at them, or removing them, takes several slices of time. */
const MANY = 40_000

/** Names of one old file, which are made faster than files. */
function linkMany(bed: PruneBed, folder: string): void {
  const one = bed.write(`../outside/${folder}`)
  mkdirSync(join(bed.root, folder))
  for (let index = 0; index < MANY; index += 1) linkSync(one, join(bed.root, folder, `${index}`))
}

function closing(files: ArtifactFiles): ArtifactFiles & AsyncDisposable {
  return Object.assign(files, { [Symbol.asyncDispose]: () => files.close() })
}

function isElsewhere(here: string, there: string): boolean {
  try {
    return statSync(here).dev !== statSync(there).dev
  } catch {
    return false
  }
}
