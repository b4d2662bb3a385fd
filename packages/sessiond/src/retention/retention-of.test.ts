import { relative } from 'node:path'
import { ATTACHMENTS_DIR, FILES_DIR } from '@sessiond/protocol'
import { describe, expect, it } from 'vitest'
import { isCovered } from '../config/artifact-pattern.ts'
import { compileConfig } from '../config/compile-config.ts'
import { FILE_CLASSES } from '../config/config.ts'
import { blackBoxPath, recordingPath } from '../effects/keep-black-box.ts'
import { runLogPath } from '../effects/save-run-log.ts'
import { sessionPaths } from '../mailbox/session-paths.ts'
import type { ArtifactClass } from '../model/artifact.ts'
import { retentionOf, rulesFor } from './retention-of.ts'

const SHELL = { agent: { command: ['sh'] } }
const CONFIG = compileConfig(
  {
    dataDir: '/data',
    groups: {
      plain: SHELL,
      own: {
        ...SHELL,
        retention: {
          todos: null,
          debugLogs: { age: '1h', keep: ['newest'] },
          messages: '5h',
          closedSessions: null,
          artifacts: { scratch: { patterns: ['{session}/work/tmp/*/'], age: '1d' } },
        },
      },
    },
    retention: {
      journal: '2d',
      debugLogs: { count: 9 },
      artifacts: { dumps: { root: '/var/dumps', patterns: ['*.core'], size: '1GiB' } },
    },
  },
  { env: {}, baseDir: '/base' },
)

/** The rules of one group, without the host's own. */
function rulesOf(group: string, config = CONFIG): readonly ArtifactClass[] {
  return rulesFor(config, [group]).filter((rule) => rule.group !== null)
}

describe('retention of a group', () => {
  it('answers a group that has left the configuration with the host’s figures and its own folder', () => {
    const { rows, closedSessionsMs, archivesMs } = retentionOf(CONFIG, 'gone')
    const artifacts = rulesOf('gone')
    expect(rows.journalMs).toBe(2 * 86_400_000)
    expect([closedSessionsMs, archivesMs]).toEqual([7 * 86_400_000, 90 * 86_400_000])
    expect(artifacts.map((rule) => rule.name)).toEqual(FILE_CLASSES)
    expect(new Set(artifacts.map((rule) => `${rule.group} ${rule.root}`))).toEqual(
      new Set(['gone /data/sessions/gone']),
    )
  })

  it('makes rules of what a group keeps otherwise, and none of what it has switched off', () => {
    const { rows, closedSessionsMs } = retentionOf(CONFIG, 'own')
    const artifacts = rulesOf('own')
    expect(rows).toMatchObject({ messagesMs: 18_000_000, journalMs: 2 * 86_400_000 })
    expect(closedSessionsMs).toBeNull()
    expect(artifacts.map((rule) => rule.name)).toEqual([...FILE_CLASSES.filter((name) => name !== 'todos'), 'scratch'])
    expect(artifacts.find((rule) => rule.name === 'debugLogs')).toMatchObject({ maxAgeMs: 3_600_000, maxCount: 9 })
  })

  it('(F4) takes what a class keeps even where it is switched off, without bounds, so that no other class does', () => {
    const off = { ...SHELL, retention: Object.fromEntries(FILE_CLASSES.map((name) => [name, null])) }
    const config = compileConfig({ dataDir: '/data', groups: { off } }, { env: {}, baseDir: '/base' })
    const artifacts = rulesOf('off', config)
    expect(artifacts.map(({ name, patterns }) => [name, patterns.filter((text) => !text.includes('-config'))])).toEqual(
      [
        ['transcripts', ['memory', 'memory/'].map((name) => `{session}/work/.claude/projects/*/${name}`)],
        ['debugLogs', ['{session}/work/.claude/debug/latest']],
      ],
    )
    expect(artifacts.every((rule) => rule.maxAgeMs === null && rule.maxCount === null && rule.maxBytes === null)).toBe(
      true,
    )
  })

  it('never gives up a name that a class itself keeps', () => {
    const keptBy = (group: string, name: string) => rulesOf(group).find((rule) => rule.name === name)?.keep
    expect(keptBy('own', 'debugLogs')).toEqual(['latest', 'newest'])
    expect(keptBy('plain', 'debugLogs')).toEqual(['latest'])
    expect(keptBy('plain', 'transcripts')).toEqual(['memory'])
  })

  it.each(['..', '.', '', 'a/b', '../store.db', '/etc', '__proto__'])('has no folder for %j', (group) => {
    expect(rulesOf(group)).toEqual([])
    expect(retentionOf(CONFIG, group)).toBe(CONFIG.defaults.retention)
  })
})

describe('rulesFor', () => {
  it('(F4) puts what is shipped, and protects by id, before what is one’s own, and the host’s last, each once', () => {
    const rules = rulesFor(CONFIG, ['own', 'gone', 'own'])
    expect(rules.map((rule) => `${rule.group} ${rule.name}`)).toEqual([
      ...FILE_CLASSES.filter((name) => name !== 'todos').map((name) => `own ${name}`),
      ...FILE_CLASSES.map((name) => `gone ${name}`),
      'own scratch',
      'null dumps',
    ])
  })

  it('holds the host’s own classes where there are no groups', () => {
    expect(rulesFor(CONFIG, []).map((rule) => rule.name)).toEqual(['dumps'])
  })
})

describe('files of a session that is not on record', () => {
  it('stay, whatever their class; what lies outside the folders of sessions knows no such', () => {
    const kept = (group: string) =>
      rulesFor(CONFIG, [group])
        .filter((rule) => rule.protects.includes('no-record'))
        .map((rule) => rule.name)
    expect(kept('own')).toEqual([...FILE_CLASSES.filter((name) => name !== 'todos'), 'scratch'])
  })
})

describe('shipped classes', () => {
  const paths = sessionPaths('/data', 'plain/main')
  const deps = { mailbox: { pathsOf: () => paths } } as unknown as Parameters<typeof runLogPath>[0]
  const rules = rulesFor(CONFIG, ['plain'])

  /** `class: protections` of the first rule that an entry belongs to. */
  function ruleOf(path: string): string | null {
    const rule = rules.find(({ root, patterns }) => {
      const below = relative(root, path)
      const entry = path.endsWith('/') ? `${below}/` : below
      return patterns.some((pattern) => isCovered(entry, pattern))
    })
    return rule === undefined ? null : `${rule.name}: ${rule.protects.filter((by) => by !== 'no-record').join()}`
  }

  const ID = '0b1c2d3e-0000-4000-8000-000000000000'

  it.each([
    [runLogPath(deps, 'plain/main', 7), 'runLogs: run'],
    [recordingPath(deps, 'plain/main', 7), 'recordings: run'],
    [blackBoxPath(deps, 'plain/main', 7), 'recordings: run'],
    [`${paths.runs}/7.outbound.db`, 'setAside: run'],
    [`${paths.runs}/7.outbound.db-journal`, 'setAside: run'],
    [`${paths.in}/${ATTACHMENTS_DIR}/3/a.png`, 'attachments: work'],
    [`${paths.out}/${FILES_DIR}/report.pdf`, 'files: work'],
    [`${paths.work}/logs/2026/a.log`, 'groupLogs: '],
    ...['.claude', '.claude-config'].flatMap((home): [string, string][] => [
      [`${paths.work}/${home}/projects/-workspace/${ID}.jsonl`, 'transcripts: id'],
      [`${paths.work}/${home}/projects/-workspace/${ID}/`, 'transcripts: id'],
      [`${paths.work}/${home}/debug/${ID}.txt`, 'debugLogs: id'],
      [`${paths.work}/${home}/todos/${ID}-agent-${ID}.json`, 'todos: id'],
      [`${paths.work}/${home}/telemetry/1p_failed_events.${ID}.json`, 'telemetry: '],
    ]),
  ])('take %s', (path, rule) => {
    expect(ruleOf(path)).toBe(rule)
  })

  it.each([
    `${paths.in}/inbound.db`,
    `${paths.in}/inbound.db-journal`,
    `${paths.out}/outbound.db`,
    `${paths.out}/outbound.db-journal`,
    `${paths.out}/.heartbeat`,
    `${paths.root}/`,
    `${paths.work}/`,
    `${paths.runs}/`,
    `${paths.work}/CLAUDE.md`,
    `${paths.work}/logs/notes.md`,
    `${paths.work}/src/app.log`,
    `${paths.work}/.claude/settings.json`,
    `${paths.work}/.claude/.credentials.json`,
    `${paths.work}/.claude/projects/-workspace/`,
    `${paths.work}/.claude/skills/a/SKILL.md`,
    '/data/sessions/other/main/runs/7.log',
    '/data/store.db',
  ])('leave %s alone', (path) => {
    expect(ruleOf(path)).toBeNull()
  })

  it('keep what an agent remembers of a project, which lies among its conversations', () => {
    const path = `${paths.work}/.claude/projects/-workspace/memory/`
    expect(ruleOf(path)).toBe('transcripts: id')
    expect(rules.find((rule) => rule.name === 'transcripts')?.keep).toContain('memory')
  })
})
