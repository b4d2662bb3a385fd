import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describeWithEngine } from '@sessiond/testkit/engine'
import { afterEach, expect, it } from 'vitest'
import type { GroupOptions } from '../../src/config/options.ts'
import type { Check } from '../../src/runtime/runtime.ts'
import { cliOf } from './clients.ts'
import { cleanUp, makeDataDir, shellGroup, startHost, type TestHost } from './harness.ts'

afterEach(cleanUp)

const groups = { shell: shellGroup('process') }

async function usedHost(): Promise<TestHost> {
  const test = await startHost(groups)
  for (let index = 0; index < 200; index += 1) {
    await test.host.send({ group: 'shell', text: `true ${'x'.repeat(2_000)}`, after: '1h' })
  }
  await test.host.send({ group: 'shell', text: 'echo done' })
  await test.untilType('message:completed')
  return test
}

async function examine(
  test: Pick<TestHost, 'dataDir'>,
  configured: Readonly<Record<string, GroupOptions>> = groups,
): Promise<{ code: number; check: (name: string) => Check | undefined; text: string }> {
  const cli = await cliOf(test, configured)
  const env = { PATH: process.env.PATH ?? '' }
  const { code, stdout } = await cli(['doctor', '--json'], { env })
  const { checks } = JSON.parse(stdout) as { checks: Check[] }
  const { stdout: text } = await cli(['doctor'], { env })
  return { code, check: (name) => checks.find((check) => check.name === name), text }
}

/** What stands in a data directory, but for the two files SQLite needs beside a store while somebody reads it. */
function contentOf(dataDir: string): string[] {
  return readdirSync(dataDir)
    .filter((name) => statSync(join(dataDir, name)).isFile() && !/-(wal|shm)$/.test(name))
    .map((name) => `${name} ${hashOf(join(dataDir, name))}`)
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

it('(C8) reads the store of a stopped host without changing a byte of it', async () => {
  const test = await usedHost()
  await test.host.stop()
  const before = contentOf(test.dataDir)
  const { code, check } = await examine(test)
  expect({ code, store: check('store') }).toEqual({
    code: 0,
    store: { name: 'store', ok: true, detail: expect.stringMatching(/^install i\w+, sound$/) },
  })
  expect(contentOf(test.dataDir)).toEqual(before)
})

it('(C8) reads the store of a running host beside it', async () => {
  const test = await usedHost()
  const before = await test.host.lastEventId()
  const { code, check } = await examine(test)
  expect({ code, isSound: check('store')?.ok, host: check('host')?.ok }).toEqual({ code: 0, isSound: true, host: true })
  expect(await test.host.lastEventId()).toBe(before)
  await test.host.send({ group: 'shell', text: 'echo on' })
  await test.untilType('message:completed', 2)
})

it('names a store of a newer version', async () => {
  const test = await usedHost()
  await test.host.stop()
  const db = new DatabaseSync(join(test.dataDir, 'store.db'))
  db.exec('PRAGMA user_version = 99')
  db.close()
  const { code, check, text } = await examine(test)
  expect({ code, store: check('store') }).toMatchObject({ code: 5, store: { ok: false, code: 'DATA_DIR_NEWER' } })
  expect(text).toMatch(/PROBLEM {2}store: .*schema 99.*\[DATA_DIR_NEWER\]\n *-> Run the sessiond version that wrote it/)
})

it.each([
  ['in its first page', 0],
  ['in the middle', 1],
])('names a store that is damaged %s, and leaves it as it is', async (_, part) => {
  const test = await usedHost()
  await test.host.stop()
  const path = join(test.dataDir, 'store.db')
  const bytes = readFileSync(path)
  const from = part * 4096 * 10
  writeFileSync(path, bytes.fill(0x5a, from, from + 4096 * 20))
  const { code, check, text } = await examine(test)
  expect({ code, store: check('store') }).toMatchObject({ code: 5, store: { ok: false, code: 'STORE_BROKEN' } })
  expect(text).toMatch(/PROBLEM {2}store: .*\[STORE_BROKEN\]/s)
  expect(hashOf(path)).toBe(createHash('sha256').update(bytes).digest('hex'))
})

describeWithEngine('doctor on a container engine', () => {
  it('names a missing image with its cure', async () => {
    const missing = { runtime: 'docker', image: 'sessiond-test:no-such-image', agent: { command: ['sh'] } } as const
    const { code, check, text } = await examine({ dataDir: await makeDataDir() }, { far: missing })
    expect({ code, image: check('image of group far') }).toEqual({
      code: 5,
      image: {
        name: 'image of group far',
        ok: false,
        code: 'IMAGE_MISSING',
        detail: 'Image sessiond-test:no-such-image of group far is not there.',
        cure: 'Pull, build or import the image the group names.',
      },
    })
    expect(text).toMatch(/PROBLEM {2}image of group far: .*\[IMAGE_MISSING\]\n *-> Pull, build or import/)
  })
})
