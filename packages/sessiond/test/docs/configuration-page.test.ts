import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { compileConfig } from '../../src/config/compile-config.ts'
import { parseDurationMs } from '../../src/config/duration.ts'
import { ENVIRONMENT_OVERRIDES } from '../../src/config/environment.ts'
import { listOptions } from '../../src/config/list-options.ts'
import { parseSizeBytes } from '../../src/config/size.ts'
import { renderConfiguration } from './render-configuration.ts'

const PAGE = new URL('../../../../docs/configuration.md', import.meta.url)

interface PageRow {
  readonly path: string
  readonly unit: string
  readonly fallback: string
}

async function readRows(): Promise<PageRow[]> {
  const rows = (await readCells()).filter((cells) => cells.length === 6 && cells[0]?.startsWith('`'))
  return rows.map(([path = '', , unit = '', fallback = '']) => ({ path: path.replaceAll('`', ''), unit, fallback }))
}

async function readCells(): Promise<string[][]> {
  const lines = (await readFile(PAGE, 'utf8')).split('\n').filter((line) => line.startsWith('|'))
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** Where HostConfig keeps what an option with a plain default sets; the rest have no home of the same name. */
const HOMES: Readonly<Record<string, string>> = {
  'runs.idleStop': 'defaults.idleStopMs',
  'cleaning.highWater': 'cleaning.highWaterShare',
  'cleaning.useTrash': 'cleaning.usesTrash',
}

/** The same of options that the host keeps by class or under another name. */
function homeOf(path: string): string | undefined {
  const [, name = '', bound] = /^retention\.([a-zA-Z]+)(?:\.([a-z]+))?$/.exec(path) ?? []
  const bounds: Readonly<Record<string, string>> = { age: 'maxAge', count: 'maxCount', size: 'maxBytes', keep: 'keep' }
  if (bound !== undefined) return `defaults.retention.files.${name}.${bounds[bound]}`
  if (['closedSessions', 'archives'].includes(name)) return `defaults.retention.${name}`
  return name === '' ? HOMES[path] : `defaults.retention.rows.${name}`
}

const UNUSED_BY_THE_HOST = ['shutdown.stopTimeout']

describe('docs/configuration.md', () => {
  it('is what the schema makes of it', async () => {
    await expect(renderConfiguration()).toMatchFileSnapshot(PAGE.pathname)
  })

  it('lists every option of the schema, and no other', async () => {
    const onPage = (await readRows()).map((row) => row.path).sort()
    expect(onPage).toEqual(
      listOptions()
        .map((entry) => entry.path)
        .sort(),
    )
  })

  it('says what too low and too high do for every duration, size and count but the port', () => {
    const wordless = listOptions().filter(
      ({ unit, tooLow, tooHigh }) =>
        !/text|path|name|zone|list|`|reference|URL|address|port/i.test(unit) &&
        (tooLow === undefined || tooHigh === undefined),
    )
    expect(wordless.map((entry) => entry.path)).toEqual([])
  })

  it('names the defaults the host really takes', async () => {
    const config = compileConfig(
      { groups: { g: { agent: { command: ['sh'] } } }, sinks: { s: { url: 'https://example.org' } } },
      { env: {}, baseDir: '/base' },
    )
    const group = config.groups.get('g')
    const sink = config.sinks.get('s')
    const wrong: string[] = []
    for (const { path, unit, fallback } of await readRows()) {
      const [, written] = /^`([^`]*)`$/.exec(fallback) ?? []
      if (written === undefined || UNUSED_BY_THE_HOST.includes(path) || /^`(?:runs|bridge)/.test(fallback)) continue
      const root = path.startsWith('groups.') ? group : path.startsWith('sinks.') ? sink : config
      const local = path.replace(/^(groups|sinks)\.<name>\./, '')
      if (local.includes('[]') || local.includes('artifacts.<name>')) continue
      const found = lookUp(
        root,
        homeOf(path) ?? local.replace(/^(?=(?:stuck|retry)\.)/, root === config ? 'defaults.' : ''),
      )
      const readAs = { duration: parseDurationMs, size: parseSizeBytes }[unit]
      const expected = readAs === undefined || written === 'none' ? written : readAs(written)
      const plain = typeof found === 'string' || typeof expected === 'number' ? found : JSON.stringify(found)
      const shown = found === null ? 'none' : plain
      const isSame = path === 'dataDir' ? found === '/base/.sessiond' : shown === expected
      if (!isSame) wrong.push(`${path}: page ${expected}, host ${String(shown)}`)
    }
    expect(wrong).toEqual([])
  })

  it('lists every environment variable, and no other', async () => {
    const onPage = (await readCells())
      .filter((cells) => cells.length === 2 && cells[0]?.startsWith('`'))
      .map((cells) => cells.map((cell) => cell.replaceAll('`', '')))
    expect(Object.fromEntries(onPage)).toEqual(ENVIRONMENT_OVERRIDES)
  })

  it('has an option behind every environment variable', () => {
    const paths = listOptions().map((entry) => entry.path)
    expect(Object.values(ENVIRONMENT_OVERRIDES).filter((path) => !paths.includes(path))).toEqual([])
  })
})

/** The value at a dotted path; the last name may carry its unit in the configuration. */
function lookUp(root: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null) return undefined
    const object = value as Readonly<Record<string, unknown>>
    const home = [key, `${key}Ms`, `${key}Bytes`].find((name) => object[name] !== undefined)
    return home === undefined ? undefined : object[home]
  }, root)
}
