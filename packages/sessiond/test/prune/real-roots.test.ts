import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkRoots } from '../../src/cli/checks/check-roots.ts'
import { compileConfig } from '../../src/config/compile-config.ts'
import { openHouseReadOnly } from '../../src/prune/open-house.ts'
import { findUnusableRoots, withRealRoots } from '../../src/prune/real-roots.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import { realWorld } from '../../src/world.ts'
import { newMessage } from '../store/messages.ts'
import { makeBed, type PruneBed } from './prune-bed.ts'

const SCRATCH = { patterns: ['{session}/work/tmp/*'], age: '1d', protects: [] }

function configOf(bed: PruneBed, dataDir: string, artifacts: object = {}, ofGroup: object = {}) {
  const groups = { a: { agent: { command: ['sh'] }, retention: { artifacts: ofGroup } } }
  return compileConfig({ dataDir, groups, retention: { artifacts } }, { env: {}, baseDir: bed.dir })
}

/** A data directory that is reached over a link. */
async function linkedBed(): Promise<PruneBed> {
  const bed = await makeBed()
  symlinkSync(bed.root, join(bed.dir, 'link'))
  return bed
}

test('(F5) a data directory that is reached over a link is cleaned, with the folders of one’s own classes in it', async () => {
  await using bed = await linkedBed()
  const dataDir = join(bed.dir, 'link')
  const store = await openStore({ dataDir, world: realWorld })
  await store.accept([newMessage('m', 'a/main')], 1_000)
  await store.close()
  bed.write('sessions/a/main/work/logs/x.log')
  bed.write('sessions/a/main/work/tmp/x')
  const config = configOf(bed, dataDir, {}, { scratch: SCRATCH })
  await using house = await openHouseReadOnly({ config, world: realWorld, onError: () => {} })
  const { id } = await house.planPruning({ classes: ['groupLogs', 'scratch'] })
  const { removals } = await house.listPlannedRemovals({ planId: id })
  expect(removals.map(({ path }) => path).sort()).toEqual(['main/work/logs/x.log', 'main/work/tmp/x'])
})

test.each<[string, (bed: PruneBed) => { root: string; patterns: string[] }, RegExp]>([
  ['the data directory', (bed) => ({ root: bed.root, patterns: ['**/*'] }), /must not hold/],
  ['what holds it', (bed) => ({ root: join(bed.dir, 'up/to'), patterns: ['**/*'] }), /must not hold/],
  ['a folder in it', (bed) => ({ root: join(bed.root, 'sessions'), patterns: ['*'] }), /must not lie in/],
  ['a link into it', (bed) => ({ root: join(bed.dir, 'into'), patterns: ['*'] }), /must not lie in/],
])('(F4) refuses a class whose folder is by another name %s', async (_, own, rule) => {
  await using bed = await linkedBed()
  mkdirSync(join(bed.root, 'sessions'))
  mkdirSync(join(bed.dir, 'up'))
  symlinkSync(bed.dir, join(bed.dir, 'up/to'))
  symlinkSync(join(bed.root, 'sessions'), join(bed.dir, 'into'))
  const config = configOf(bed, join(bed.dir, 'link'), { own: { age: '1d', ...own(bed) } })
  const refusal = {
    code: 'CONFIG_INVALID',
    problems: [{ where: 'retention.artifacts.own.root', rule: expect.stringMatching(rule) }],
  }
  await expect(withRealRoots(config)).rejects.toMatchObject(refusal)
  await expect(openHouseReadOnly({ config, world: realWorld, onError: () => {} })).rejects.toMatchObject(refusal)
})

test.each<[string, string, RegExp]>([
  ['the folder itself', 'big/sessions', /must not lie in/],
  ['what holds it', 'big', /must not hold what is in/],
  ['a group’s folder in it', 'big/sessions/a', /must not lie in/],
  ['a folder of a session', 'big/sessions/a/main/work', /must not lie in/],
])('(F4) refuses a class that reaches sessions on another disk by their real way: %s', async (_, root, rule) => {
  await using bed = await makeBed()
  mkdirSync(join(bed.dir, 'big/sessions/a/main/work'), { recursive: true })
  symlinkSync(join(bed.dir, 'big/sessions'), join(bed.root, 'sessions'))
  const config = configOf(bed, bed.root, { own: { age: '1d', root: join(bed.dir, root), patterns: ['**/*'] } })
  await expect(withRealRoots(config)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    problems: [{ where: 'retention.artifacts.own.root', rule: expect.stringMatching(rule) }],
  })
  mkdirSync(join(bed.dir, 'big/other'))
  const beside = configOf(bed, bed.root, { own: { age: '1d', root: join(bed.dir, 'big/other'), patterns: ['**/*'] } })
  expect(await withRealRoots(beside)).toEqual(beside)
})

test('takes folders beside the data directory, those yet to come, and a data directory yet to come', async () => {
  await using bed = await makeBed()
  const artifacts = {
    beside: { root: bed.outside, patterns: ['*'], age: '1d' },
    none: { root: join(bed.dir, 'none'), patterns: ['*'], age: '1d' },
  }
  const config = configOf(bed, bed.root, artifacts)
  expect(await withRealRoots(config)).toEqual(config)
  expect(await checkRoots(config)).toEqual([])
  const yetToCome = configOf(bed, join(bed.dir, 'data'), artifacts)
  expect(await withRealRoots(yetToCome)).toBe(yetToCome)
})

test('tells of folders that pruning does not go through', async () => {
  await using bed = await makeBed()
  symlinkSync(bed.outside, join(bed.dir, 'link'))
  symlinkSync('nowhere', join(bed.dir, 'dangling'))
  bed.write('../outside/file')
  mkdirSync(join(bed.outside, 'below'))
  const own = (root: string) => ({ root: join(bed.dir, root), patterns: ['*'], age: '1d' })
  const config = configOf(
    bed,
    bed.root,
    { link: own('link'), behind: own('link/below'), file: own('outside/file'), fine: own('outside') },
    { dangling: own('dangling') },
  )
  const told = (await findUnusableRoots(config)).map(({ where, rule, cure }) => [where, rule.split(',')[0], cure])
  expect(told).toEqual([
    ['retention.artifacts.link.root', 'is reached over a link', `Name ${bed.outside}, if that is what is meant.`],
    [
      'retention.artifacts.behind.root',
      'is reached over a link',
      `Name ${bed.outside}/below, if that is what is meant.`,
    ],
    ['retention.artifacts.file.root', 'is no folder', 'Name a folder.'],
    [
      'groups.a.retention.artifacts.dangling.root',
      'is reached over a link',
      'Name a folder itself, if that is what is meant.',
    ],
  ])
  expect(await checkRoots(config)).toHaveLength(4)
})
