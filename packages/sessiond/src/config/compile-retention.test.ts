import { describe, expect, it } from 'vitest'
import { compileConfig } from './compile-config.ts'
import { FILE_CLASSES, type FileBounds, type FileClass, type HostConfig } from './config.ts'
import { ConfigInvalidError, type Problem } from './problem.ts'

const SHELL = { agent: { command: ['sh'] } }
const CONTEXT = { env: {}, baseDir: '/base' }
const DAY_MS = 86_400_000

const host = (retention: object, more: object = {}): unknown => ({ groups: { g: SHELL }, retention, ...more })
const group = (retention: object, ofHost: object = {}): unknown => {
  return { groups: { g: { ...SHELL, retention } }, retention: ofHost }
}
const custom = (more: object): unknown =>
  host({ artifacts: { own: { root: '/srv', patterns: ['*'], age: '1d', ...more } } })
const groupCustom = (more: object): unknown => group({ artifacts: { own: { patterns: ['*'], age: '1d', ...more } } })

/** Two groups with a class of their own each. */
const groups = (...own: readonly object[]): unknown => ({
  groups: Object.fromEntries(
    own.map((more, index) => ['ab'[index], { ...SHELL, retention: { artifacts: { own: { age: '1d', ...more } } } }]),
  ),
})
const CLAUDE = '{session}/work/.claude'

function compile(options: unknown): HostConfig {
  return compileConfig(options, CONTEXT)
}

function problemsOf(options: unknown): readonly Problem[] {
  try {
    compile(options)
  } catch (error) {
    if (!(error instanceof ConfigInvalidError)) throw error
    return error.problems
  }
  return []
}

function boundsOf(config: HostConfig, name: FileClass): FileBounds | null | undefined {
  return config.groups.get('g')?.retention.files[name]
}

describe('retention', () => {
  it('(F5) bounds every class, and keeps what the seed kept as long as the seed did, unless told otherwise', () => {
    const { files, rows, closedSessionsMs, archivesMs } = compile(host({})).defaults.retention
    const days = FILE_CLASSES.map((name) => [name, (files[name]?.maxAgeMs ?? 0) / DAY_MS])
    expect(Object.fromEntries(days)).toEqual({
      transcripts: 7,
      debugLogs: 3,
      todos: 3,
      telemetry: 7,
      groupLogs: 7,
      runLogs: 14,
      recordings: 14,
      setAside: 14,
      attachments: 14,
      files: 14,
    })
    expect(files.runLogs?.maxBytes).toBe(2 ** 30)
    expect(Object.values(rows).map((ms) => (ms ?? 0) / DAY_MS)).toEqual([30, 30, 90, 30, 90, 90, 365])
    expect([closedSessionsMs, archivesMs]).toEqual([7 * DAY_MS, 90 * DAY_MS])
  })

  it('lays figures of a group over those of the host, one by one', () => {
    const ofHost = { transcripts: { age: '2d', count: 5, keep: ['a'] }, messages: '2h', runs: null }
    const config = compile(
      group({ transcripts: { count: null, size: '1GiB', keep: ['b', 'a'] }, journal: null }, ofHost),
    )
    expect(boundsOf(config, 'transcripts')).toEqual({
      maxAgeMs: 2 * DAY_MS,
      maxCount: null,
      maxBytes: 2 ** 30,
      keep: ['a', 'b'],
    })
    expect(config.groups.get('g')?.retention.rows).toMatchObject({
      messagesMs: 7_200_000,
      journalMs: null,
      runsMs: null,
    })
    expect(config.defaults.retention.rows.journalMs).toBe(30 * DAY_MS)
    expect(config.defaults.retention.files.transcripts?.keep).toEqual(['a'])
  })

  it('tells null of a group, which means never, from what it leaves to the host', () => {
    const ofHost = { closedSessions: '1d', archives: '1d', files: { age: '1d', size: '1GiB' } }
    const config = compile(group({ archives: null, files: { age: null } }, ofHost))
    expect(config.groups.get('g')?.retention).toMatchObject({ closedSessionsMs: DAY_MS, archivesMs: null })
    expect(boundsOf(config, 'files')).toMatchObject({ maxAgeMs: null, maxBytes: 2 ** 30 })
  })

  it.each<[string, object, object, FileBounds | null]>([
    ['off in the group alone', { todos: null }, {}, null],
    ['off on the host', {}, { todos: null }, null],
    [
      'off on the host, with nothing but what the group bounds',
      { todos: { count: 3 } },
      { todos: null },
      { maxAgeMs: null, maxCount: 3, maxBytes: null, keep: [] },
    ],
  ])('has a class %s', (_, own, ofHost, bounds) => {
    expect(boundsOf(compile(group(own, ofHost)), 'todos')).toEqual(bounds)
  })

  it('starts classes of one’s own at the sessions of the group or of all, or at the configuration file', () => {
    const config = compile({
      dataDir: 'data',
      groups: { g: { ...SHELL, retention: { artifacts: { mine: { patterns: ['{session}/work/tmp/*'], count: 1 } } } } },
      retention: {
        artifacts: {
          all: { patterns: ['{group}/{session}/work/tmp/*'], size: '1KiB' },
          near: { root: 'logs', patterns: ['*.log'], age: '1m' },
        },
      },
    })
    const told = [...(config.groups.get('g')?.retention.artifacts ?? []), ...config.defaults.retention.artifacts]
    expect(told.map(({ name, group, root }) => [name, group, root])).toEqual([
      ['mine', 'g', '/base/data/sessions/g'],
      ['all', null, '/base/data/sessions'],
      ['near', null, '/base/logs'],
    ])
  })

  it.each([
    ['all that is captured', { patterns: ['{session}/work/a/{epoch}-{id}'] }, ['id', 'run', 'work']],
    [
      'what any of the patterns captures',
      { patterns: ['{session}/work/a/*', '{session}/work/b/{id}/'] },
      ['id', 'work'],
    ],
    ['nothing where nothing is captured', { root: '/srv', patterns: ['*'] }, []],
    ['an open session only if asked for', { patterns: ['{session}/work/a'], protects: ['session'] }, ['session']],
    ['nothing if told so', { patterns: ['{session}/work/{id}'], protects: [] }, []],
  ])('protects by %s', (_, more, protects) => {
    const config = compile(groupCustom(more))
    expect(config.groups.get('g')?.retention.artifacts[0]?.protects).toEqual(protects)
  })

  it.each<[string, unknown, string[]]>([
    ['an age of nothing', host({ todos: { age: 0 } }), ['retention.todos.age']],
    ['an age below a minute', host({ todos: { age: '59s' } }), ['retention.todos.age']],
    ['an age nothing reaches', group({ todos: { age: '3651d' } }), ['groups.g.retention.todos.age']],
    ['a count of nothing', host({ todos: { count: 0 } }), ['retention.todos.count']],
    ['a size of nothing', host({ todos: { size: 0 } }), ['retention.todos.size']],
    ['rows that go at once', host({ messages: '1m' }), ['retention.messages']],
    ['bounds for rows', host({ messages: { age: '1d' } }), ['retention.messages']],
    ['a class with all its bounds taken away', host({ todos: { age: null } }), ['retention.todos']],
    ['the same within a group', group({ todos: { age: null } }), ['groups.g.retention.todos']],
    [
      'a group that takes away the only bound the host has left',
      group({ runLogs: { size: null } }, { runLogs: { age: null } }),
      ['groups.g.retention.runLogs'],
    ],
    [
      'an empty override of what the host has switched off',
      group({ todos: {} }, { todos: null }),
      ['groups.g.retention.todos'],
    ],
    ['a class nobody ships', host({ todo: { age: '1d' } }), ['retention.todo']],
    ['a kept pattern', host({ todos: { keep: ['*'] } }), ['retention.todos.keep']],
    ['a kept path', host({ todos: { keep: ['a/b'] } }), ['retention.todos.keep']],
    ['a kept nothing', host({ todos: { keep: [''] } }), ['retention.todos.keep']],
    ['a class without patterns', host({ artifacts: { own: { age: '1d' } } }), ['retention.artifacts.own.patterns']],
    ['an empty list of patterns', custom({ patterns: [] }), ['retention.artifacts.own.patterns']],
    ['an empty pattern', custom({ patterns: ['a', ''] }), ['retention.artifacts.own.patterns']],
    ['a pattern twice', custom({ patterns: ['a', 'a'] }), ['retention.artifacts.own.patterns']],
    ['a class of one’s own without bound', custom({ age: null }), ['retention.artifacts.own']],
    [
      'a pattern that is a kept name alone',
      custom({ patterns: ['a/latest', '*'], keep: ['latest'] }),
      ['retention.artifacts.own.keep'],
    ],
    ['an unknown protection', custom({ protects: ['ids'] }), ['retention.artifacts.own.protects']],
    ['a protection twice', custom({ protects: ['id', 'id'] }), ['retention.artifacts.own.protects']],
    [
      'a protection by an id that one of the patterns does not capture',
      custom({ patterns: ['{id}.json', 'b/*'], protects: ['id'] }),
      ['retention.artifacts.own.protects'],
    ],
    [
      'a protection by a run without its epoch',
      custom({ patterns: ['{group}/{session}/*'], protects: ['run'] }),
      ['retention.artifacts.own.protects'],
    ],
    ['a session of no group', custom({ patterns: ['{session}/*'] }), ['retention.artifacts.own.patterns']],
    ['a run of no session', custom({ patterns: ['{group}/{epoch}'] }), ['retention.artifacts.own.patterns']],
    [
      'a group that is known',
      groupCustom({ root: '/srv', patterns: ['{group}/*'] }),
      ['groups.g.retention.artifacts.own.patterns'],
    ],
    ['the root of the file system', custom({ root: '/' }), ['retention.artifacts.own.root']],
    ['the root of the file system in disguise', custom({ root: '/srv/../' }), ['retention.artifacts.own.root']],
    ['the data directory', custom({ root: '.sessiond' }), ['retention.artifacts.own.root']],
    ['a folder that holds the data directory', custom({ root: '/base' }), ['retention.artifacts.own.root']],
    ['the trash', custom({ root: '.sessiond/trash' }), ['retention.artifacts.own.patterns']],
    ['a session as a whole', groupCustom({ patterns: ['{session}/'] }), ['groups.g.retention.artifacts.own.patterns']],
    ['a mailbox', groupCustom({ patterns: ['{session}/out/*'] }), ['groups.g.retention.artifacts.own.patterns']],
    [
      'a workspace as a whole',
      groupCustom({ patterns: ['{session}/work/'] }),
      ['groups.g.retention.artifacts.own.patterns'],
    ],
    [
      'any folder on the way to a workspace',
      groupCustom({ patterns: ['**/work/tmp/*'] }),
      ['groups.g.retention.artifacts.own.patterns'],
    ],
    [
      'a mailbox by way of a root within it',
      custom({ root: '.sessiond/sessions/g/main/out', patterns: ['**/*'] }),
      ['retention.artifacts.own.patterns'],
    ],
    [
      'the workspaces of another group',
      groupCustom({ root: '.sessiond/sessions/h', patterns: ['{session}/work/tmp/*'] }),
      ['groups.g.retention.artifacts.own.patterns'],
    ],
    [
      'a class named as one of ours',
      host({ artifacts: { Transcripts: { root: '/srv', patterns: ['*'], age: '1d' } } }),
      ['retention.artifacts.Transcripts'],
    ],
    [
      'a class named as the trash, which is cleaned as one',
      host({ artifacts: { trash: { root: '/srv', patterns: ['*'], age: '1d' } } }),
      ['retention.artifacts.trash'],
    ],
    [
      'classes that differ by case',
      host({
        artifacts: {
          own: { root: '/srv', patterns: ['*'], age: '1d' },
          Own: { root: '/opt', patterns: ['*'], age: '1d' },
        },
      }),
      ['retention.artifacts.Own'],
    ],
    [
      'a class named as one of the host',
      group(
        { artifacts: { own: { root: '/srv', patterns: ['*'], age: '1d' } } },
        { artifacts: { own: { root: '/opt', patterns: ['*'], age: '1d' } } },
      ),
      ['groups.g.retention.artifacts.own'],
    ],
    [
      'a name that climbs',
      host({ artifacts: { '../x': { root: '/srv', patterns: ['*'], age: '1d' } } }),
      ['retention.artifacts["../x"]'],
    ],
    [
      'a class called __proto__',
      host({ artifacts: JSON.parse('{"__proto__":{}}') }),
      ['retention.artifacts["__proto__"]'],
    ],
    [
      'an id that an earlier pattern takes',
      custom({ patterns: ['*.json', '{id}.json'] }),
      ['retention.artifacts.own.patterns'],
    ],
    [
      'what an earlier class takes, from another root',
      host({
        artifacts: {
          all: { root: '/srv', patterns: ['**/*.log'], age: '1d' },
          own: { root: '/srv/a/b', patterns: ['*.log'], age: '9d' },
        },
      }),
      ['retention.artifacts.own.patterns'],
    ],
    [
      'of the host what a group takes',
      group(
        { artifacts: { mine: { root: '/srv', patterns: ['*'], age: '1d' } } },
        { artifacts: { all: { root: '/srv', patterns: ['*'], age: '9d' } } },
      ),
      ['retention.artifacts.all.patterns'],
    ],
    [
      'transcripts under another name, and without their protection',
      groupCustom({ patterns: ['{session}/work/a/*', '{session}/work/.claude/projects/*/*.jsonl'] }),
      ['groups.g.retention.artifacts.own.patterns'],
    ],
    [
      'a pattern that two earlier ones take together',
      custom({ patterns: ['*', '*/**/*', '**/*'] }),
      ['retention.artifacts.own.patterns'],
    ],
    [
      '(F4) folders that may be those of shipped classes',
      host({ artifacts: { own: { patterns: ['{group}/{session}/work/*/'], age: '1d' } } }),
      ['retention.artifacts.own.patterns'],
    ],
    [
      '(F4) the same at any depth',
      groupCustom({ patterns: ['{session}/work/**/*/'] }),
      ['groups.g.retention.artifacts.own.patterns'],
    ],
    [
      '(F4) a folder that holds them',
      groupCustom({ patterns: [`${CLAUDE}/`] }),
      ['groups.g.retention.artifacts.own.patterns'],
    ],
    [
      '(F4) what is never removed, within a folder of classes that are switched off',
      group(
        { artifacts: { own: { patterns: [`${CLAUDE}/`], age: '1d' } } },
        { transcripts: null, debugLogs: null, todos: null, telemetry: null },
      ),
      ['groups.g.retention.artifacts.own.patterns'],
    ],
    [
      '(F4) the same by its own name',
      group({ debugLogs: null, artifacts: { own: { patterns: [`${CLAUDE}/debug/latest`], age: '1d' } } }),
      ['groups.g.retention.artifacts.own.patterns'],
    ],
    [
      'folders in any of which an earlier class may find something',
      host({
        artifacts: {
          all: { root: '/srv', patterns: ['a/**/*.log'], age: '1d' },
          own: { root: '/srv/a', patterns: ['*/'], age: '1d' },
        },
      }),
      ['retention.artifacts.own.patterns'],
    ],
    [
      'the same in the folders of a group, because of a class of that group',
      group(
        { artifacts: { logs: { patterns: ['{session}/work/**/*.log'], age: '1d' } } },
        { artifacts: { own: { patterns: ['{group}/{session}/work/**/node_modules/'], age: '1d' } } },
      ),
      ['retention.artifacts.own.patterns'],
    ],
    [
      'a file to one of several sessions, by how its name is read',
      custom({ root: '/srv', patterns: ['{session}-*.core'] }),
      ['retention.artifacts.own.patterns'],
    ],
    [
      'one file to two groups',
      groups({ root: '/srv', patterns: ['*.core'] }, { root: '/srv/', patterns: ['x*'] }),
      ['groups.b.retention.artifacts.own.patterns'],
    ],
    [
      'a file to one group in a folder of another',
      groups({ root: '/srv', patterns: ['a/'] }, { root: '/srv/a', patterns: ['**/*.core'] }),
      ['groups.b.retention.artifacts.own.patterns'],
    ],
    ['folders of a shipped class as kept names', host({ groupLogs: { keep: ['logs'] } }), ['retention.groupLogs.keep']],
    ['the same within a group', group({ groupLogs: { keep: ['work'] } }), ['groups.g.retention.groupLogs.keep']],
    [
      'a pattern below a folder that is kept',
      custom({ patterns: ['a/important/*'], keep: ['important'] }),
      ['retention.artifacts.own.keep'],
    ],
    ...[
      '{group}/pre-{session}/work/t/*',
      '{group}/{session}-x/work/t/*',
      'x{group}/{session}/work/t/*',
      '{group}/*/work/{session}/*',
      '*/*/work/{group}/{session}/*',
      '{group}/*/work/t/*',
      'g/main/work/t/*',
      'bad name!/*/work/t/*',
    ].map((pattern): [string, unknown, string[]] => [
      `(F4) ${pattern}, which does not say whose session it is`,
      host({ artifacts: { own: { patterns: [pattern], age: '1d' } } }),
      ['retention.artifacts.own.patterns'],
    ]),
    [
      '(F4) a workspace named in full, of whose session nothing is known',
      custom({ root: '.sessiond/sessions/g/main/work', patterns: ['tmp/*'] }),
      ['retention.artifacts.own.patterns'],
    ],
    [
      '(F4) a session that is captured by a folder of that name alone',
      custom({ root: '.sessiond/sessions/{group}/{session}/work', patterns: ['tmp/*'] }),
      ['retention.artifacts.own.patterns'],
    ],
    ['no time to clean', host({}, { cleaning: { every: '4m' } }), ['cleaning.budget']],
    ['a high-water mark that is always met', host({}, { cleaning: { highWater: 0.4 } }), ['cleaning.highWater']],
    ['a high-water mark in percent', host({}, { cleaning: { highWater: 90 } }), ['cleaning.highWater']],
    ['trash that is thrown away at once', host({}, { cleaning: { trash: 0 } }), ['cleaning.trash']],
    ['batches of nothing', host({}, { cleaning: { batch: 0 } }), ['cleaning.batch']],
  ])('refuses %s', (_, options, where) => {
    expect(problemsOf(options).map((problem) => problem.where)).toEqual(where)
  })

  it.each<[string, unknown]>([
    ['the least of every bound', host({ todos: { age: '1m', count: 1, size: '1KiB' }, messages: '1h' })],
    ['all classes switched off', host(Object.fromEntries(FILE_CLASSES.map((name) => [name, null])))],
    ['a group that bounds what the host has switched off', group({ todos: { age: '1d' } }, { todos: null })],
    ['all of a folder of its own', custom({ patterns: ['**/*'] })],
    ['a folder beside the data directory', custom({ root: '.sessiond-scratch', patterns: ['*/'] })],
    ['folders of a workspace', groupCustom({ patterns: ['{session}/work/tmp/*/'] })],
    [
      'files that lie where shipped classes find none of theirs, in all folders that these do not spell out',
      groupCustom({ patterns: ['{session}/work/.claude/file-history/{id}/', '{session}/work/**/node_modules/'] }),
    ],
    [
      'conversations as units of one’s own where the shipped class is off',
      group({ transcripts: null, artifacts: { own: { patterns: [`${CLAUDE}/projects/*/{id}/`], age: '1d' } } }),
    ],
    [
      'folders of all groups in which one group has a longer time for some',
      group(
        { artifacts: { mine: { patterns: ['{session}/work/tmp/keep/**/*'], age: '9d' } } },
        { artifacts: { all: { patterns: ['{group}/{session}/work/tmp/*/'], age: '1d' } } },
      ),
    ],
    [
      'folders of the group, given from those of all',
      groupCustom({ root: '.sessiond/sessions', patterns: ['g/{session}/work/a'] }),
    ],
    [
      'two groups with names of their own in one folder',
      groups({ root: '/srv', patterns: ['a-*.core', 'a/**/*'] }, { root: '/srv', patterns: ['b-*.core', 'b/*/'] }),
    ],
    ['all that shipped classes leave of a workspace', groupCustom({ patterns: ['{session}/work/**/*'] })],
    ['a root whose name looks like a pattern', custom({ root: '/srv/*{x}', patterns: ['a'] })],
    [
      'what a shipped class would take, had the group not switched it off',
      group({ groupLogs: null, artifacts: { logs: { patterns: ['{session}/work/logs/*.log'], age: '90d' } } }),
    ],
    [
      'the same of the host, had no group switched it off',
      group(
        { groupLogs: null },
        { artifacts: { logs: { patterns: ['{group}/{session}/work/logs/*.log'], age: '90d' } } },
      ),
    ],
    [
      'one class under the same name in two groups',
      {
        groups: {
          a: { ...SHELL, retention: { artifacts: { own: { patterns: ['{session}/work/tmp/*'], age: '1d' } } } },
          b: { ...SHELL, retention: { artifacts: { own: { patterns: ['{session}/work/tmp/*'], age: '1d' } } } },
        },
      },
    ],
    ['a long cleaning when it comes only if asked for', host({}, { cleaning: { every: null, budget: '1h' } })],
    ['no high-water mark', host({}, { cleaning: { highWater: null } })],
  ])('takes %s', (_, options) => {
    expect(problemsOf(options)).toEqual([])
  })

  it('says of a refused rule why it is one, and how to mend it', () => {
    const [problem] = problemsOf(host({ todos: { age: null } }))
    expect(problem?.rule).toContain('could never match')
    expect(problem?.cure).toContain('retention.todos: null')
    const [covered] = problemsOf(groupCustom({ patterns: ['{session}/work/logs/a.log'] }))
    expect(covered?.rule).toContain('belongs to retention.groupLogs already')
    const [typo] = problemsOf(
      group({ artifacts: { own: { paterns: ['*'], patterns: ['{session}/work/a'], age: '1d' } } }),
    )
    expect(typo?.cure).toBe('Did you mean patterns?')
  })

  it('says nothing of a pair whose one half is wrong by itself', () => {
    const problems = problemsOf(custom({ patterns: ['/etc/*'], keep: ['x'], root: '/' }))
    expect(problems.map((problem) => problem.where)).toEqual(['retention.artifacts.own.patterns'])
  })

  it('takes what cleaning does from the environment', () => {
    const env = { SESSIOND_CLEANING_EVERY: '6h', SESSIOND_CLEANING_BUDGET: '10s' }
    const { cleaning } = compileConfig(host({}), { ...CONTEXT, env })
    expect(cleaning).toMatchObject({ everyMs: 21_600_000, budgetMs: 10_000, highWaterShare: 0.9, usesTrash: false })
  })
})
