import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { useTinyDisk } from '../store/tiny-disk.ts'
import { ask, spawnHost } from './clients.ts'
import { cleanUp, makeDataDir, shellGroup, startHost } from './harness.ts'

afterEach(cleanUp)

const groups = { shell: shellGroup('process') }
const isRoot = process.getuid?.() === 0
/** Nobody on any machine this runs on. */
const STRANGER = 54_321

function optionsFor(dataDir: string) {
  return { dataDir, groups, api: { port: 0 }, log: { level: 'silent' as const }, runs: { stopGrace: '3s' } }
}

/** What a host says that cannot come up on a directory. */
async function refusalOf(dataDir: string, uid?: number): Promise<{ code?: string; message?: string }> {
  await using host = await spawnHost(optionsFor(dataDir), uid)
  return host.outcome
}

/** A data directory that has known a host, and the message it answered. */
async function usedDataDir(): Promise<string> {
  const test = await startHost(groups)
  await test.host.send({ group: 'shell', id: 'm', text: 'echo kept' })
  await test.untilType('message:completed')
  await test.host.stop()
  return test.dataDir
}

describe('a data directory that cannot be used', () => {
  it.runIf(isRoot)('belongs to another user: the host says whose it is, and writes nothing', async () => {
    const parent = await makeDataDir()
    chmodSync(parent, 0o755)
    const theirs = join(parent, 'theirs')
    mkdirSync(theirs, { mode: 0o700 })
    chownSync(theirs, STRANGER, STRANGER)
    expect(await refusalOf(theirs)).toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringMatching(/belongs to user 54321; this process runs as user 0.*chown/),
    })
    const ours = join(parent, 'ours')
    mkdirSync(ours, { mode: 0o755 })
    expect(await refusalOf(ours, STRANGER)).toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringMatching(/belongs to user 0; this process runs as user 54321/),
    })
    expect([readdirSync(theirs), readdirSync(ours)]).toEqual([[], []])
  })

  it.runIf(isRoot)('may be read only, by its mode: the host says so', async () => {
    const dataDir = await makeDataDir()
    chmodSync(dataDir, 0o500)
    chownSync(dataDir, STRANGER, STRANGER)
    expect(await refusalOf(dataDir, STRANGER)).toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringMatching(/cannot be used.*EACCES.*writable/s),
    })
  })

  it.runIf(useTinyDisk.isPossible)('lies on a read-only file system: the host says so', async () => {
    using disk = useTinyDisk(2 * 1024 * 1024)
    chmodSync(disk.path, 0o700)
    execFileSync('mount', ['-o', 'remount,ro', disk.path])
    expect(await refusalOf(disk.path)).toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringMatching(/cannot be used.*EROFS/),
    })
  })

  it('was written by a newer version: refused before anything is changed', async () => {
    const dataDir = await usedDataDir()
    const path = join(dataDir, 'store.db')
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 99')
    db.close()
    const before = readFileSync(path)
    expect(await refusalOf(dataDir)).toMatchObject({
      code: 'DATA_DIR_NEWER',
      message: expect.stringMatching(/newer sessiond \(schema 99; this one knows \d+\)/),
    })
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it.each([
    ['garbage', (path: string) => writeFileSync(path, 'no database at all, but long enough to be one '.repeat(100))],
    ['empty', (path: string) => writeFileSync(path, '')],
    ['torn in the middle', (path: string) => writeFileSync(path, readFileSync(path).fill(0x5a, 0, 4096))],
  ])('(C14) holds a store that is %s: STORE_BROKEN, and nothing is overwritten', async (_, harm) => {
    const dataDir = await usedDataDir()
    const path = join(dataDir, 'store.db')
    harm(path)
    const before = readFileSync(path)
    expect(await refusalOf(dataDir)).toMatchObject({
      code: 'STORE_BROKEN',
      message: expect.stringMatching(/doctor|backup/),
    })
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

describe('one host per data directory', () => {
  it('(D6) refuses the second, naming the first; after kill -9 of the first the next starts at once and goes on', async () => {
    const dataDir = await makeDataDir()
    await using first = await spawnHost(optionsFor(dataDir))
    const { apiUrl } = first.outcome
    const test = { dataDir, host: { apiUrl } } as Parameters<typeof ask>[0]
    const text = 'echo $PPID >> starts; sleep 1; echo done'
    expect((await ask(test, 'POST', '/v1/sessions/shell/main/messages', { id: 'm', text })).status).toBe(202)
    const refusal = await refusalOf(dataDir)
    expect(refusal.code).toBe('DATA_DIR_LOCKED')
    expect(refusal.message).toContain(`process ${first.child.pid}`)
    expect(refusal.message).toContain(apiUrl)
    first.child.kill('SIGKILL')
    await first[Symbol.asyncDispose]()
    const next = await startHost(groups, { dataDir })
    await next.until('the message', (event) => event.type === 'message:completed' && event.messageId === 'm')
    expect((await next.host.showMessage('m')).message).toMatchObject({ status: 'completed', tries: 0 })
    expect((await next.host.showMessage('m')).replies).toHaveLength(1)
  })
})

describe('a disk that is full at the start', () => {
  it.runIf(useTinyDisk.isPossible)(
    'refuses to start, saying so, and goes on where it was once there is room',
    async () => {
      using disk = useTinyDisk(8 * 1024 * 1024)
      chmodSync(disk.path, 0o700)
      const change = { dataDir: disk.path, limits: { diskFloor: 0 } }
      const test = await startHost(groups, change)
      await test.host.send({ group: 'shell', id: 'later', text: 'echo late', after: '1s' })
      await test.host.stop()
      // With it the host would start.
      rmSync(join(disk.path, 'disk.reserve'))
      disk.fill()
      expect(await refusalOf(disk.path)).toMatchObject({
        code: 'DISK_FULL',
        message: expect.stringMatching(/disk that holds the data directory is full.*Free space/s),
      })
      disk.free()
      const next = await startHost(groups, change)
      await next.untilType('message:completed')
      expect(next.replies()).toEqual(['late'])
      await next.host.stop()
    },
  )
})
