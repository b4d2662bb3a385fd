import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withPruneLock } from '../../src/prune/prune-lock.ts'
import { useTinyDisk } from '../store/tiny-disk.ts'
import { startProgram } from './start-program.ts'

let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'prune-lock-'))
})

afterEach(() => rm(dir, { recursive: true, force: true }))

test('does one work after another, however many ask at once, and lets a failed one go', async () => {
  let working = 0
  let most = 0
  const works = Array.from({ length: 8 }, (_, index) =>
    withPruneLock(dir, 20_000, async () => {
      working += 1
      most = Math.max(most, working)
      await new Promise((resolve) => setImmediate(resolve))
      working -= 1
      if (index % 2 === 0) throw new Error('failed')
      return index
    }),
  )
  const settled = await Promise.allSettled(works)
  expect(most).toBe(1)
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
  expect(await readdir(dir)).toEqual(['prune.lock'])
  expect((await stat(join(dir, 'prune.lock'))).mode & 0o777).toBe(0o600)
})

test('a second pruner waits for one in another process, and comes next', async () => {
  await using other = await startProgram('hold-prune-lock', [dir])
  let isIn = false
  const mine = withPruneLock(dir, 20_000, async () => {
    isIn = true
  })
  await expect(withPruneLock(dir, 250, async () => 'in')).rejects.toMatchObject({ code: 'PRUNE_BUSY', retryable: true })
  expect(isIn).toBe(false)
  await other.ask('release')
  await mine
  expect(isIn).toBe(true)
})

test('a pruner that was killed holds nothing', async () => {
  const other = await startProgram('hold-prune-lock', [dir])
  await expect(withPruneLock(dir, 0, async () => 'in')).rejects.toMatchObject({ code: 'PRUNE_BUSY' })
  await other.kill()
  expect(await withPruneLock(dir, 0, async () => 'in')).toBe('in')
})

test.runIf(useTinyDisk.isPossible)(
  '(F5) holds, keeps others out and lets go on a disk without a byte left',
  async () => {
    using disk = useTinyDisk(64 * 1024)
    disk.fill()
    const other = await startProgram('hold-prune-lock', [disk.path])
    await expect(withPruneLock(disk.path, 0, async () => 'in')).rejects.toMatchObject({ code: 'PRUNE_BUSY' })
    await other.kill()
    expect(await withPruneLock(disk.path, 0, async () => 'in')).toBe('in')
    expect((await readdir(disk.path)).sort()).toEqual(['.ballast', 'prune.lock'])
  },
)

test('says when there can be no lock', async () => {
  await expect(withPruneLock(join(dir, 'missing'), 0, async () => 'in')).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
  })
})
