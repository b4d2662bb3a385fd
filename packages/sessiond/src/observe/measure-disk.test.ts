import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { measureDisk } from './measure-disk.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sessiond-disk-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('counts the bytes below its folders, following no link', async () => {
  await mkdir(join(folder, 'a/b'), { recursive: true })
  await writeFile(join(folder, 'a/one'), 'x'.repeat(1_000))
  await writeFile(join(folder, 'a/b/two'), 'x'.repeat(500))
  await symlink('/usr', join(folder, 'a/usr'))
  const { bytes, files, isWhole } = await measureDisk([join(folder, 'a')], 10_000)
  expect({ files, isWhole }).toEqual({ files: 3, isWhole: true })
  expect(bytes).toBe(1_500 + '/usr'.length)
})

it('says that it has not seen all when its time is up, or a folder cannot be read', async () => {
  await writeFile(join(folder, 'one'), 'x')
  expect(await measureDisk([folder], -1)).toEqual({ bytes: 0, files: 0, isWhole: false })
  expect(await measureDisk([join(folder, 'absent')], 10_000)).toEqual({ bytes: 0, files: 0, isWhole: false })
})
