import { chmodSync, cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { openStore, openStoreReadOnly } from '../../src/store/sqlite/open-store.ts'
import { realWorld } from '../../src/world.ts'
import { useTempDir } from './temp-dir.ts'

const root = useTempDir()
const at = (name: string) => join(root(), name)
const REFUSED = { code: 'DATA_DIR_COPIED', cure: expect.stringContaining('--new-install-id') }

async function open(name: string): Promise<string> {
  const store = await openStore({ dataDir: at(name), world: realWorld })
  await store.close()
  return store.installId
}

/** A data directory that was in use. */
async function make(name: string): Promise<string> {
  mkdirSync(at(name))
  return open(name)
}

async function isTakenForCopy(name: string): Promise<boolean> {
  const store = await openStoreReadOnly(at(name))
  try {
    return await store.refuseCopy().then(
      () => false,
      () => true,
    )
  } finally {
    await store.close()
  }
}

describe('a data directory that was copied', () => {
  test('(D5) is not opened for writing as long as its original is there, nor does it become the one on record', async () => {
    const installId = await make('original')
    cpSync(at('original'), at('copy'), { recursive: true })
    for (let tries = 0; tries < 2; tries += 1) await expect(open('copy')).rejects.toMatchObject(REFUSED)
    await expect(open('copy')).rejects.toThrow(
      `${at('copy')} comes from ${at('original')}, where its original still is.`,
    )
    expect(await isTakenForCopy('copy')).toBe(true)
    expect([await open('original'), await isTakenForCopy('original')]).toEqual([installId, false])
    // Looked at it may be: nobody is hurt by that.
    expect((await openStoreReadOnly(at('copy'))).installId).toBe(installId)
  })

  test('is known for one also by a backup made with VACUUM INTO, of a store of an older schema or a live one', async () => {
    mkdirSync(at('original'))
    const original = await openStore({ dataDir: at('original'), world: realWorld })
    mkdirSync(at('copy'))
    const db = new DatabaseSync(join(at('original'), 'store.db'))
    db.exec(`VACUUM INTO '${join(at('copy'), 'store.db')}'`)
    await expect(open('copy')).rejects.toMatchObject(REFUSED)
    db.exec('PRAGMA user_version = 1')
    db.close()
    await expect(open('copy')).rejects.toMatchObject(REFUSED)
    await original.close()
  })

  test('takes the place of its original once that is gone, under the same id', async () => {
    const installId = await make('original')
    cpSync(at('original'), at('copy'), { recursive: true })
    rmSync(at('original'), { recursive: true })
    expect(await open('copy')).toBe(installId)
    // From here on that is where it is.
    cpSync(at('copy'), at('copy-of-it'), { recursive: true })
    await expect(open('copy-of-it')).rejects.toMatchObject(REFUSED)
  })

  test.each([
    ['cannot be read as one', (path: string) => writeFileSync(path, 'no database at all, but long enough '.repeat(99))],
    ['may not be looked at', (path: string) => makeLoop(path)],
  ])('is refused when the store at the place on record %s', async (_, harm) => {
    await make('original')
    cpSync(at('original'), at('copy'), { recursive: true })
    harm(join(at('original'), 'store.db'))
    await expect(open('copy')).rejects.toMatchObject({ code: 'DATA_DIR_COPIED' })
  })
})

/** Root may read all there is; nobody can follow this. */
function makeLoop(path: string): void {
  rmSync(path)
  symlinkSync(path, path)
}

describe('a data directory that is no copy', () => {
  test('was moved: it keeps its id', async () => {
    const installId = await make('here')
    renameSync(at('here'), at('there'))
    expect(await open('there')).toBe(installId)
    renameSync(at('there'), at('here'))
    expect(await open('here')).toBe(installId)
  })

  test('was moved, and its old place leads to it', async () => {
    const installId = await make('here')
    renameSync(at('here'), at('there'))
    symlinkSync(at('there'), at('here'))
    expect([await open('there'), await open('here')]).toEqual([installId, installId])
  })

  test('was restored at its own place from a backup', async () => {
    const installId = await make('here')
    cpSync(at('here'), at('backup'), { recursive: true })
    rmSync(at('here'), { recursive: true })
    cpSync(at('backup'), at('here'), { recursive: true })
    expect(await open('here')).toBe(installId)
  })

  test('was moved, and at its old place another install has begun, or an emptied store lies', async () => {
    const installId = await make('here')
    renameSync(at('here'), at('there'))
    const other = await make('here')
    expect(await open('there')).toBe(installId)
    expect(await open('here')).toBe(other)
    renameSync(at('there'), at('elsewhere'))
    mkdirSync(at('there'))
    chmodSync(at('there'), 0o700)
    writeFileSync(join(at('there'), 'store.db'), '')
    expect(await open('elsewhere')).toBe(installId)
  })
})
