import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compileConfig } from '../../src/config/compile-config.ts'
import { rulesFor } from '../../src/retention/retention-of.ts'
import { activeWith, age, contentsOf, makeBed, type PruneBed, ruleOf } from './prune-bed.ts'

const SHELL = { agent: { command: ['sh'] } }
const WORK = 'sessions/a/main/work'
const ACTIVE = activeWith({ ids: new Set(['REFERENCED', 'codex-agent-1']), openSessions: new Set(['a/main']) })

function rulesOf(bed: PruneBed, retention: object) {
  return rulesFor(compileConfig({ dataDir: bed.root, groups: { a: SHELL }, retention }, { env: {}, baseDir: '/' }), [
    'a',
  ])
}

/** All files that are there after a pruning, below the workspace. */
async function leftBy(bed: PruneBed, rules: ReturnType<typeof rulesOf>, files: readonly string[]): Promise<string[]> {
  for (const file of files) bed.write(`${WORK}/${file}`)
  const folders = [...contentsOf(bed.root)].flatMap(([path, content]) => (content === 'folder' ? [path] : []))
  for (const path of folders) age(join(bed.root, path))
  await bed.apply(await bed.plan(rules, { active: ACTIVE }), { readActive: async () => ACTIVE })
  const prefix = `${WORK}/`
  return [...contentsOf(bed.root)].flatMap(([path, content]) =>
    content === 'folder' || !path.startsWith(prefix) ? [] : [path.slice(prefix.length)],
  )
}

const NEVER = ['.claude/debug/latest', '.claude/projects/p/memory/MEMORY.md']

test('(F4) no class of one’s own takes the two names that never go, whatever is switched off', async () => {
  await using bed = await makeBed()
  const retention = {
    transcripts: null,
    debugLogs: null,
    artifacts: { own: { patterns: ['{group}/{session}/work/.claude/**/*'], age: '1d' } },
  }
  const gone = ['.claude/debug/x.txt', '.claude/projects/p/x.jsonl', '.claude/projects/p/x/memory/1', '.claude/a']
  expect(await leftBy(bed, rulesOf(bed, retention), [...NEVER, ...gone])).toEqual(NEVER)
})

test('(F4) a folder is no unit for what shipped classes have in it, and what else is in it stays', async () => {
  await using bed = await makeBed()
  const shipped = rulesOf(bed, { telemetry: null })
  // Refused at the start: this is what holds if it were not.
  const own = ruleOf(join(bed.root, 'sessions'), ['{group}/{session}/work/*/'], { name: 'own', group: null })
  const stays = [...NEVER, '.claude/.credentials.json', '.claude/projects/p/REFERENCED.jsonl', '.claude/telemetry/x']
  const gone = ['.claude/debug/old.txt', '.claude/projects/p/other.jsonl', 'tmp/a/b', 'node_modules/x']
  expect(await leftBy(bed, [...shipped, own], [...stays, ...gone])).toEqual(stays.sort())
})

test('(F4) an id with the letters in it that stand between two protects its list', async () => {
  await using bed = await makeBed()
  const todos = '.claude/todos/codex-agent-1-agent-codex-agent-1.json'
  expect(await leftBy(bed, rulesOf(bed, {}), [todos, '.claude/todos/codex-agent-2.json'])).toEqual([todos])
})

test('(F4) what an open session references stays, whatever class of one’s own names it, by its whole name alone', async () => {
  await using bed = await makeBed()
  const retention = {
    transcripts: null,
    artifacts: { own: { patterns: ['{group}/{session}/work/cfg/*/', '{group}/{session}/work/**/*'], age: '1d' } },
  }
  const stays = [
    '.claude/projects/p/REFERENCED.jsonl',
    'cfg/REFERENCED/tool-results/1.txt',
    'home/projects/p/REFERENCED.jsonl',
    'home/projects/p/REFERENCED.jsonl.rotated-1',
    'home/projects/p/REFERENCED/tool-results/1.txt',
  ]
  const gone = [
    '.claude/projects/p/other.jsonl',
    'cfg/REFERENCED-2/x',
    'home/REFERENCED2.jsonl',
    'main',
    'x/.REFERENCED',
  ]
  expect((await leftBy(bed, rulesOf(bed, retention), [...stays, ...gone])).sort()).toEqual(stays.sort())
})

test('a word in the state of a session protects no folder that a pattern spells out', async () => {
  await using bed = await makeBed()
  const active = activeWith({ ids: new Set(['work', 'tmp', 'a', 'main', '']), openSessions: new Set(['a/main']) })
  const rules = rulesOf(bed, { artifacts: { own: { patterns: ['{group}/{session}/work/tmp/**/*'], age: '1d' } } })
  for (const file of ['x', 'main', '.x']) bed.write(`${WORK}/tmp/${file}`)
  const { removals } = await bed.plan(rules, { active })
  // The file itself may be one. Of the same age, they come in the order of the file system: any.
  expect(Object.fromEntries(removals.map(({ path, ids }) => [path, ids]))).toEqual({
    'a/main/work/tmp/x': ['x'],
    'a/main/work/tmp/.x': ['.x'],
  })
})

test('what lies in a folder that is kept stays, and is told', async () => {
  await using bed = await makeBed()
  mkdirSync(join(bed.root, WORK), { recursive: true })
  const rules = rulesOf(bed, {
    artifacts: { own: { patterns: ['{group}/{session}/work/tmp/**/*'], age: '1d', keep: ['important'] } },
  })
  const left = await leftBy(bed, rules, ['tmp/important/a/notes.md', 'tmp/a/important', 'tmp/a/b'])
  expect(left).toEqual(['tmp/a/important', 'tmp/important/a/notes.md'])
  const { classes } = await bed.plan(rules, { active: ACTIVE })
  expect(classes.find(({ name }) => name === 'own')).toMatchObject({ seen: { entries: 2 }, stays: { 'kept-name': 2 } })
})
