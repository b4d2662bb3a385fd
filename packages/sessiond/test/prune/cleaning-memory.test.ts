import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileMemory } from '../../src/prune/cleaning-memory.ts'
import type { RowCursor } from '../../src/store/store.ts'

describe('what is remembered of the last cleaning', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sessiond-memory-'))
  })
  afterEach(() => rm(dir, { recursive: true }))

  it('is read back by the next host, and private', async () => {
    expect(await fileMemory(dir).read()).toBeNull()
    await fileMemory(dir).write({ endedAtMs: 5, goOnWith: 'rows', rowsFrom: null })
    await fileMemory(dir).write({ endedAtMs: 7, goOnWith: null, rowsFrom: 'journal:12' as RowCursor })
    expect(await fileMemory(dir).read()).toEqual({ endedAtMs: 7, goOnWith: null, rowsFrom: 'journal:12' })
    expect((await stat(join(dir, 'cleaning.json'))).mode & 0o777).toBe(0o600)
  })

  it.each(['', '{', 'null', '[]', '{"endedAtMs":"1"}', '{"endedAtMs":1e999}', '{"goOnWith":"files"}'])(
    'is nothing when the file holds %j, and written anew',
    async (text) => {
      await writeFile(join(dir, 'cleaning.json'), text)
      expect(await fileMemory(dir).read()).toBeNull()
      await fileMemory(dir).write({ endedAtMs: 1, goOnWith: 'trash', rowsFrom: null })
      expect(await fileMemory(dir).read()).toEqual({ endedAtMs: 1, goOnWith: 'trash', rowsFrom: null })
    },
  )

  it('goes on from the beginning where the stage is unknown', async () => {
    await writeFile(join(dir, 'cleaning.json'), '{"endedAtMs":3,"goOnWith":"__proto__"}')
    expect(await fileMemory(dir).read()).toEqual({ endedAtMs: 3, goOnWith: null, rowsFrom: null })
  })

  it('survives a crash between writing and renaming', async () => {
    await fileMemory(dir).write({ endedAtMs: 1, goOnWith: null, rowsFrom: null })
    await writeFile(join(dir, 'cleaning.json.new'), '{"endedAt')
    expect(await fileMemory(dir).read()).toEqual({ endedAtMs: 1, goOnWith: null, rowsFrom: null })
    await fileMemory(dir).write({ endedAtMs: 2, goOnWith: null, rowsFrom: null })
    expect(await readFile(join(dir, 'cleaning.json'), 'utf8')).toContain('"endedAtMs":2')
  })
})
