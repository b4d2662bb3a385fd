import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { openStore, openStoreReadOnly } from '../../src/store/sqlite/open-store.ts'
import { realWorld } from '../../src/world.ts'
import { newMessage } from './messages.ts'
import { useTempDir } from './temp-dir.ts'

const dataDir = useTempDir()
const open = () => openStore({ dataDir: dataDir(), world: realWorld })
const file = () => join(dataDir(), 'store.db')

describe('openStore', () => {
  test('keeps the store and its log for its user alone', async () => {
    const store = await open()
    await store.accept([newMessage('m1')], 1)
    for (const name of ['store.db', 'store.db-wal', 'store.db-shm']) {
      expect([name, statSync(join(dataDir(), name)).mode & 0o777]).toEqual([name, 0o600])
    }
    await store.close()
  })

  test('throws DATA_DIR_UNUSABLE where there is no directory', async () => {
    const opening = openStore({ dataDir: join(dataDir(), 'none'), world: realWorld })
    await expect(opening).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
  })

  test('throws STORE_BROKEN on a file that is no database, and does not touch it', async () => {
    writeFileSync(file(), 'this is not a database, whatever its name says'.repeat(100))
    const before = readFileSync(file())
    await expect(open()).rejects.toMatchObject({ code: 'STORE_BROKEN' })
    expect(readFileSync(file()).equals(before)).toBe(true)
  })

  test.each(['missing', 'empty'])('(C14) does not begin anew over sessions when the store is %s', async (how) => {
    mkdirSync(join(dataDir(), 'sessions', 'g', 'main'), { recursive: true })
    if (how === 'empty') writeFileSync(file(), '')
    await expect(open()).rejects.toMatchObject({ code: 'STORE_BROKEN' })
    expect(existsSync(file())).toBe(how === 'empty')
  })

  test.each([
    ['missing', () => rmSync(file())],
    ['empty', () => truncateSync(file())],
  ])('(C14) touches no log of a store that is %s, whether sessions tell of it or not', async (_, lose) => {
    const store = await open()
    await store.accept([newMessage('m1')], 1)
    // As kill -9 leaves it.
    const log = readFileSync(`${file()}-wal`)
    await store.close()
    lose()
    writeFileSync(`${file()}-wal`, log)
    for (const opening of [open, () => openStoreReadOnly(dataDir())]) {
      await expect(opening()).rejects.toMatchObject({
        code: 'STORE_BROKEN',
        cure: expect.stringContaining('move store.db-wal away'),
      })
    }
    expect(readFileSync(`${file()}-wal`).equals(log)).toBe(true)
  })

  test('throws STORE_BUSY instead of waiting for a foreign program that holds the store, and works again after', async () => {
    const store = await open()
    const foreign = new DatabaseSync(file())
    foreign.exec('BEGIN IMMEDIATE')
    await expect(store.accept([newMessage('m1')], 1)).rejects.toMatchObject({ code: 'STORE_BUSY', retryable: true })
    foreign.exec('ROLLBACK')
    foreign.close()
    expect(await store.accept([newMessage('m1')], 1)).toMatchObject([{ duplicate: false }])
    await store.close()
  })
})

describe('a damaged store', () => {
  test('is reported as STORE_BROKEN, by reads, by writes and by the integrity check, and never as empty', async () => {
    const sound = await open()
    const content = JSON.stringify({ text: 'x'.repeat(1_000) })
    await sound.accept(
      Array.from({ length: 200 }, (_, index) => newMessage(`m${index}`, 'g/main', { content })),
      1,
    )
    expect(await sound.checkIntegrity()).toEqual([])
    await sound.close()
    const bytes = readFileSync(file())
    writeFileSync(file(), bytes.fill(0xff, 72 * 4096))
    const reader = await openStoreReadOnly(dataDir())
    await expect(reader.listMessages({ sessionId: 'g/main', limit: 999 })).rejects.toMatchObject({
      code: 'STORE_BROKEN',
    })
    expect(await reader.checkIntegrity()).not.toEqual([])
    await reader.close()
    const writer = await open()
    await expect(writer.accept([newMessage('m150')], 1)).rejects.toMatchObject({ code: 'STORE_BROKEN' })
    await writer.close()
  })
})

describe('openStoreReadOnly', () => {
  test('(C8) creates nothing', async () => {
    await expect(openStoreReadOnly(dataDir())).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
    expect(readdirSync(dataDir())).toEqual([])
  })

  test('(C8) migrates nothing: an older store is refused, a newer one too', async () => {
    const older = new DatabaseSync(file())
    older.exec('CREATE TABLE t (a)')
    older.close()
    const before = readFileSync(file())
    await expect(openStoreReadOnly(dataDir())).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
    expect(readFileSync(file()).equals(before)).toBe(true)
    const newer = new DatabaseSync(file())
    newer.exec('PRAGMA user_version = 9999')
    newer.close()
    await expect(openStoreReadOnly(dataDir())).rejects.toMatchObject({ code: 'DATA_DIR_NEWER' })
  })

  test('(C8) sees what a live host has committed, without being in its way', async () => {
    const store = await open()
    await store.accept([newMessage('m1')], 1)
    const reader = await openStoreReadOnly(dataDir())
    expect(await reader.getMessage('m1')).not.toBeNull()
    await store.accept([newMessage('m2')], 1)
    expect(await reader.getMessage('m2')).not.toBeNull()
    expect(reader.installId).toBe(store.installId)
    await reader.close()
    await store.close()
  })
})
