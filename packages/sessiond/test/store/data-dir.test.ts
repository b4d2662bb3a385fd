import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkDataDir, prepareDataDir } from '../../src/store/data-dir.ts'
import { useTempDir } from './temp-dir.ts'
import { useTinyDisk } from './tiny-disk.ts'

const temp = useTempDir()
const isRoot = process.getuid?.() === 0

test('makes the directory, parents included, for its user alone, and leaves nothing in it', async () => {
  const dataDir = join(temp(), 'a', 'b')
  await prepareDataDir(dataDir)
  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
  await prepareDataDir(dataDir)
  await checkDataDir(dataDir)
  expect(readdirSync(dataDir)).toEqual([])
})

test('clears away what killed starts have left in it, and nothing else', async () => {
  for (const name of ['.write-probe-7', '.write-probe-4000000', '.write-prober', 'kept']) {
    writeFileSync(join(temp(), name), 'x')
  }
  await prepareDataDir(temp())
  expect(readdirSync(temp()).sort()).toEqual(['.write-prober', 'kept'])
})

test('takes a directory reached through a link', async () => {
  mkdirSync(join(temp(), 'real'), { mode: 0o700 })
  symlinkSync(join(temp(), 'real'), join(temp(), 'link'))
  await prepareDataDir(join(temp(), 'link'))
})

test.each(['file', 'file/below'])('refuses what is no directory: %s', async (path) => {
  writeFileSync(join(temp(), 'file'), 'x')
  await expect(prepareDataDir(join(temp(), path))).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
})

test('refuses one that other users may write', async () => {
  chmodSync(temp(), 0o777)
  const refusal = { code: 'DATA_DIR_UNUSABLE', message: expect.stringContaining('chmod go-w') }
  await expect(prepareDataDir(temp())).rejects.toMatchObject(refusal)
  await expect(checkDataDir(temp())).rejects.toMatchObject(refusal)
})

test.runIf(isRoot)('refuses one that belongs to another user, naming both', async () => {
  const dataDir = join(temp(), 'theirs')
  mkdirSync(dataDir, { mode: 0o700 })
  chownSync(dataDir, 12_345, 12_345)
  await expect(prepareDataDir(dataDir)).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
    message: expect.stringMatching(/belongs to user 12345; this process runs as user 0/),
  })
})

test.skipIf(isRoot)('refuses one it may not write', async () => {
  const dataDir = join(temp(), 'mine')
  mkdirSync(dataDir, { mode: 0o500 })
  await expect(prepareDataDir(dataDir)).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
  await expect(checkDataDir(dataDir)).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
})

test('creates nothing by checking', async () => {
  await expect(checkDataDir(join(temp(), 'none'))).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
  expect(readdirSync(temp())).toEqual([])
})

test.runIf(useTinyDisk.isPossible)('says that the disk is full, and leaves nothing behind', async () => {
  using disk = useTinyDisk(1024 * 1024)
  chmodSync(disk.path, 0o700)
  disk.fill()
  await expect(prepareDataDir(disk.path)).rejects.toMatchObject({ code: 'DISK_FULL' })
  disk.free()
  await prepareDataDir(disk.path)
  expect(readdirSync(disk.path)).toEqual([])
})
