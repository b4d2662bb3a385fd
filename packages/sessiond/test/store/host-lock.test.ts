import { existsSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { acquireHostLock, type LockHolder, readHolder } from '../../src/store/host-lock.ts'
import { Child } from './child.ts'
import { useTempDir } from './temp-dir.ts'
import { useTinyDisk } from './tiny-disk.ts'

const dataDir = useTempDir()
const holder: LockHolder = { role: 'host', pid: process.pid, startedAtMs: 86_400_000, version: '1.2.3', apiUrl: null }

test('(D6) refuses a second host, naming the first', async () => {
  const lock = await acquireHostLock(dataDir(), holder)
  await lock.update({ ...holder, apiUrl: 'http://127.0.0.1:7777' })
  const second = acquireHostLock(dataDir(), { ...holder, pid: 1 })
  await expect(second).rejects.toMatchObject({
    code: 'DATA_DIR_LOCKED',
    fields: { pid: process.pid, hostName: hostname(), apiUrl: 'http://127.0.0.1:7777' },
    message: expect.stringContaining(`process ${process.pid} on ${hostname()}, started 1970-01-02T00:00:00.000Z`),
  })
  await lock.release()
})

test('(D6) refuses it in another process too, and goes on holding after being asked', async () => {
  const child = new Child('hold-lock', dataDir())
  const pid = Number(await child.line())
  expect(await readHolder(dataDir())).toMatchObject({ isHeld: true, holder: { pid } })
  await expect(acquireHostLock(dataDir(), holder)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED', fields: { pid } })
  expect((await readHolder(dataDir())).isHeld).toBe(true)
  child.finish()
  expect(await child.closed()).toBe(0)
  expect(await readHolder(dataDir())).toEqual({ isHeld: false, holder: null })
})

test('is free the moment its holder is killed, whatever the holder left lying', async () => {
  const child = new Child('hold-lock', dataDir())
  const pid = Number(await child.line())
  await child.kill()
  expect(await readHolder(dataDir())).toMatchObject({ isHeld: false, holder: { pid } })
  const lock = await acquireHostLock(dataDir(), holder)
  expect(await readHolder(dataDir())).toMatchObject({ isHeld: true, holder: { pid: process.pid, version: '1.2.3' } })
  await lock.release()
})

test('keeps another process out after this one was refused or has looked', async () => {
  const lock = await acquireHostLock(dataDir(), holder)
  await expect(acquireHostLock(dataDir(), holder)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' })
  await readHolder(dataDir())
  const child = new Child('hold-lock', dataDir())
  await expect(child.line()).rejects.toThrow('ended without a line')
  await lock.release()
  expect(await child.closed()).toBe(3)
})

test('can be had again after its release, which may come twice', async () => {
  const lock = await acquireHostLock(dataDir(), holder)
  await lock.release()
  await lock.release()
  await lock.update(holder)
  expect(existsSync(join(dataDir(), 'host.lock.json'))).toBe(false)
  await (await acquireHostLock(dataDir(), holder)).release()
})

test('knows of a held lock whose holder file cannot be made sense of', async () => {
  const lock = await acquireHostLock(dataDir(), holder)
  expect(statSync(join(dataDir(), 'host.lock.json')).mode & 0o777).toBe(0o600)
  writeFileSync(join(dataDir(), 'host.lock.json'), '{"pid":')
  expect(await readHolder(dataDir())).toEqual({ isHeld: true, holder: null })
  await expect(acquireHostLock(dataDir(), holder)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' })
  await lock.release()
})

test.runIf(useTinyDisk.isPossible)(
  '(F5) is had on a disk without a byte left, where nobody else is taken for its holder',
  async () => {
    using disk = useTinyDisk(64 * 1024)
    const child = new Child('hold-lock', disk.path)
    await child.line()
    await child.kill()
    disk.fill()
    const lock = await acquireHostLock(disk.path, holder)
    expect(await readHolder(disk.path)).toEqual({ isHeld: true, holder: null })
    await expect(acquireHostLock(disk.path, holder)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' })
    disk.free()
    await lock.update(holder)
    expect(await readHolder(disk.path)).toMatchObject({ isHeld: true, holder: { pid: process.pid } })
    await lock.release()
  },
)

test('says what holds it where that is no host, and takes one that does not say so for a host', async () => {
  const lock = await acquireHostLock(dataDir(), { ...holder, role: 'pruner' })
  await expect(acquireHostLock(dataDir(), holder)).rejects.toMatchObject({
    fields: { role: 'pruner' },
    message: expect.stringContaining(`in use by a pruning, process ${process.pid}`),
    cure: expect.stringContaining('once that has ended'),
  })
  writeFileSync(join(dataDir(), 'host.lock.json'), '{"pid":7,"startedAtMs":0}')
  expect(await readHolder(dataDir())).toMatchObject({ isHeld: true, holder: { pid: 7, role: 'host' } })
  await lock.release()
})

test('finds nothing held where nobody has been, and creates nothing by looking', async () => {
  expect(await readHolder(join(dataDir(), 'none'))).toEqual({ isHeld: false, holder: null })
  expect(await readHolder(dataDir())).toEqual({ isHeld: false, holder: null })
  expect(existsSync(join(dataDir(), 'host.lock'))).toBe(false)
})
