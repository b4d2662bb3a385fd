import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeDir, startOutside } from './cli-harness.ts'

const GROUPS = `{ groups: { ops: { agent: { command: ['sh'] } } } }`

/** What doctor says of the configuration, in a process of its own as a user's file needs it. */
async function examine(dir: string, env: Record<string, string> = {}): Promise<{ ok: boolean; detail: string }> {
  await using doctor = startOutside(dir, ['doctor', '--json'], env)
  const { stdout, stderr } = await doctor.ended()
  expect(stderr).toBe('')
  return JSON.parse(stdout).checks.find((check: { name: string }) => check.name === 'configuration')
}

describe('a configuration file', () => {
  it.each([
    [
      'sessiond.config.ts',
      `import { defineConfig, type HostOptions } from 'sessiond'\nconst o: HostOptions = ${GROUPS}\nexport default defineConfig(o)`,
    ],
    ['sessiond.config.mjs', `import { defineConfig } from 'sessiond'\nexport default defineConfig(${GROUPS})`],
    ['sessiond.config.json', '{"groups":{"ops":{"agent":{"command":["sh"]}}}}'],
  ])('%s is read, also in a package of CommonJS', async (name, text) => {
    await using dir = await makeDir()
    await writeFile(join(dir.path, 'package.json'), '{"type":"commonjs"}')
    await writeFile(join(dir.path, name), text)
    expect(await examine(dir.path)).toMatchObject({
      ok: true,
      detail: expect.stringContaining(`${name} (groups: ops)`),
    })
  })

  it.each([
    ['sessiond.config.ts', 'export default {', 'cannot be read'],
    ['sessiond.config.ts', 'export const x = 1', 'has no default export'],
    ['sessiond.config.mjs', `import 'not-installed-anywhere'\nexport default ${GROUPS}`, 'not-installed-anywhere'],
    ['sessiond.config.mjs', `throw new Error('on purpose')`, 'on purpose'],
    ['sessiond.config.json', '{"groups":', 'cannot be read'],
  ])('%s with %j is an error that says so', async (name, text, words) => {
    await using dir = await makeDir()
    await writeFile(join(dir.path, name), text)
    expect(await examine(dir.path)).toMatchObject({ ok: false, detail: expect.stringContaining(words) })
  })

  it('is the one SESSIOND_CONFIG names', async () => {
    await using dir = await makeDir()
    await writeFile(join(dir.path, 'other.json'), '{"groups":{"other":{"agent":{"command":["sh"]}}}}')
    const env = { SESSIOND_CONFIG: 'other.json' }
    expect(await examine(dir.path, env)).toMatchObject({ ok: true, detail: expect.stringContaining('groups: other') })
    expect(await examine(dir.path, { SESSIOND_CONFIG: 'none.json' })).toMatchObject({ ok: false })
  })
})
