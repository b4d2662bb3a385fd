import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileConfig } from '../../src/config/compile-config.ts'
import { FILE_CLASSES, type FileClass } from '../../src/config/config.ts'
import { formatDuration } from '../../src/config/duration.ts'
import { listOptions } from '../../src/config/list-options.ts'
import { formatSize } from '../../src/config/size.ts'
import { ERROR_CATALOGUE } from '../../src/model/errors.ts'
import { SHIPPED_CLASSES } from '../../src/retention/shipped-classes.ts'

const PAGE = readFileSync(new URL('../../../../docs/retention.md', import.meta.url), 'utf8')
const { retention } = compileConfig(
  { groups: { g: { agent: { command: ['sh'] } } } },
  { env: {}, baseDir: '/base' },
).defaults

/** Rows of the table below a heading, by the name in their first cell. */
function rowsOf(heading: string): Map<string, string[]> {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const cells = section.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  return new Map(cells.filter((row) => /^`[a-zA-Z]+`$/.test(row[1] ?? '')).map((row) => [plain(row[1]), row.slice(2)]))
}

const plain = (text = ''): string => text.replaceAll('`', '')
const spans = (text = ''): string[] => [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')

describe('docs/retention.md', () => {
  const files = rowsOf('Files')

  it.each(FILE_CLASSES)('says of %s where it lies, how long it is kept and what protects it', (name: FileClass) => {
    const { patterns, protects } = SHIPPED_CLASSES[name]
    const bounds = retention.files[name]
    const kept = [
      bounds?.maxAgeMs && formatDuration(bounds.maxAgeMs),
      bounds?.maxCount && String(bounds.maxCount),
      bounds?.maxBytes && formatSize(bounds.maxBytes),
    ]
    const short = patterns.map((pattern) =>
      pattern.replace('{session}/', '').replace(/^work\/\.claude(-config)?\//, '<claude>/'),
    )
    const [, where, howLong, by] = files.get(name) ?? []
    expect(spans(where)).toEqual([...new Set(short)])
    expect(howLong).toBe(kept.filter(Boolean).join(', '))
    expect(by).toBe(protects.join(', ') || '–')
  })

  it('names no class of files that does not exist, and explains every protection', () => {
    expect([...files.keys()].sort()).toEqual([...FILE_CLASSES, 'id', 'run', 'session', 'work'].sort())
  })

  it('says how long rows are kept, of all of them', () => {
    const onPage = [...rowsOf('Rows')].map(([name, cells]) => [`${name}Ms`, cells[1]])
    const expected = Object.entries(retention.rows).map(([name, ms]) => [name, ms && formatDuration(ms)])
    expect(Object.fromEntries(onPage)).toEqual(Object.fromEntries(expected))
  })

  it('names every name that is never removed', () => {
    const kept = Object.values(SHIPPED_CLASSES).flatMap(({ keep }) => keep)
    expect(spans(PAGE)).toEqual(expect.arrayContaining(kept))
  })

  it('shows a configuration that is taken', () => {
    const [, shown = ''] = /```ts\n([^`]*)```/.exec(PAGE) ?? []
    const [, written = ''] = /defineConfig\(([\s\S]*)\)/.exec(shown) ?? []
    const config = compileConfig(new Function(`return ${written}`)(), { env: {}, baseDir: '/base' })
    expect(config.defaults.retention.artifacts.map((rule) => [rule.name, rule.protects])).toEqual([
      ['checkpoints', ['id', 'work']],
      ['dumps', []],
    ])
    expect(config.groups.get('research')?.retention).toMatchObject({
      files: { transcripts: { maxAgeMs: 30 * 86_400_000 }, telemetry: null },
      artifacts: [{ name: 'scratch', group: 'research', keep: ['README.md'], protects: ['id', 'work'] }],
    })
  })

  it('speaks of no option and no error that does not exist', () => {
    const options = listOptions().map((entry) => entry.path)
    const named = [...PAGE.matchAll(/`((?:cleaning|retention|limits)\.[a-zA-Z]+)`/g)].map((match) => match[1] ?? '')
    expect(named.filter((path) => !options.includes(path))).toEqual([])
    expect(named).not.toEqual([])
    const codes = [...PAGE.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map((match) => match[1] ?? '')
    expect(codes.filter((code) => !Object.hasOwn(ERROR_CATALOGUE, code))).toEqual(['CLAUDE_CONFIG_DIR'])
  })
})
