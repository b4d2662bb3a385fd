import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { giveUpReserve, hasReserve, makeReserve } from '../../src/store/disk-reserve.ts'
import { useTempDir } from './temp-dir.ts'
import { useTinyDisk } from './tiny-disk.ts'

const temp = useTempDir()

test('keeps a file of some size, for this user alone, and makes anew one that was torn', () => {
  makeReserve(temp())
  const path = join(temp(), 'disk.reserve')
  const { size, mode } = statSync(path)
  expect({ size, mode: mode & 0o777 }).toEqual({ size: 1024 * 1024, mode: 0o600 })
  truncateSync(path, 4096)
  expect(hasReserve(temp())).toBe(false)
  makeReserve(temp())
  expect(hasReserve(temp())).toBe(true)
})

test('keeps it while there is room, and has nothing to say where there is no directory', () => {
  makeReserve(temp())
  giveUpReserve(temp())
  expect(hasReserve(temp())).toBe(true)
  const none = join(temp(), 'none')
  makeReserve(none)
  giveUpReserve(none)
  expect(hasReserve(none)).toBe(false)
})

test.runIf(useTinyDisk.isPossible)('gives it up on a full disk, and makes none where it would leave no room', () => {
  using disk = useTinyDisk(3 * 1024 * 1024)
  makeReserve(disk.path)
  disk.fill()
  giveUpReserve(disk.path)
  expect(hasReserve(disk.path)).toBe(false)
  makeReserve(disk.path)
  expect(readdirSync(disk.path)).toEqual(['.ballast'])
})
