import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KEEPS_ROWS } from '../../src/model/retention.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import type { RowPruning } from '../../src/store/store.ts'
import { realWorld } from '../../src/world.ts'
import { newMessage } from './messages.ts'

const MiB = 1024 * 1024
const HOUR_MS = 3_600_000

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'free-space-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

const path = () => join(dataDir, 'store.db')
const open = (changes: Partial<Parameters<typeof openStore>[0]> = {}) =>
  openStore({ dataDir, world: realWorld, ...changes })

function onStore<T>(work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path())
  try {
    return work(db)
  } finally {
    db.close()
  }
}

/** A store as an earlier version made it, with a message in it, and so many bytes beside. */
async function makeOldStore(bytes = 0): Promise<void> {
  const store = await open()
  await store.accept([newMessage('m', 'g/main')], 1)
  await store.close()
  onStore((db) => {
    db.exec('CREATE TABLE ballast (x BLOB)')
    if (bytes > 0) db.prepare('INSERT INTO ballast VALUES (zeroblob(?))').run(bytes)
    db.exec('PRAGMA auto_vacuum=NONE; VACUUM')
  })
}

const canGiveBack = () => onStore((db) => db.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum === 2)

describe('a store whose file cannot get smaller', () => {
  it('is made anew at a start, with all that is in it', async () => {
    await makeOldStore()
    expect(canGiveBack()).toBe(false)
    const store = await open()
    expect(await store.getMessage('m')).toMatchObject({ id: 'm' })
    await store.close()
    expect(canGiveBack()).toBe(true)
  })

  it('serves all the same while somebody else stands in the way, and is made anew by a later start', async () => {
    await makeOldStore()
    const other = new DatabaseSync(path(), { readOnly: true })
    other.exec('BEGIN; SELECT * FROM meta')
    const store = await open()
    expect(await store.getMessage('m')).toMatchObject({ id: 'm' })
    await store.close()
    other.close()
    await (await open()).close()
    expect(canGiveBack()).toBe(true)
  })

  it('keeps no start waiting when it is large, and is made anew by whoever can wait', async () => {
    await makeOldStore(65 * MiB)
    await (await open()).close()
    expect(canGiveBack()).toBe(false)
    await (await open({ rewritesAtAnySize: true })).close()
    expect(canGiveBack()).toBe(true)
  })
})

describe('while somebody reads an old state of the store', () => {
  const pass: RowPruning = {
    nowMs: 9 * HOUR_MS,
    retention: { ...KEEPS_ROWS, messagesMs: HOUR_MS },
    groups: new Map(),
  }

  it('rows stay once the log has grown large, and go when that has ended', async () => {
    const store = await open()
    await store.accept([newMessage('m', 'g/main')], 1)
    await store.requestCancel('m', 1)
    const backup = new DatabaseSync(path(), { readOnly: true })
    backup.exec('BEGIN; SELECT * FROM messages')
    onStore((db) => {
      db.exec('CREATE TABLE ballast (x BLOB)')
      for (let nth = 0; nth < 5; nth += 1) db.prepare('INSERT INTO ballast VALUES (zeroblob(?))').run(14 * MiB)
    })
    expect((await stat(`${path()}-wal`)).size).toBeGreaterThan(64 * MiB)
    await expect(store.pruneRows(pass, null)).rejects.toMatchObject({ code: 'STORE_BUSY' })
    // Nobody who sends is kept from it.
    await store.accept([newMessage('n', 'g/main')], 1)
    backup.close()
    let { removed, cursor } = await store.pruneRows(pass, null)
    while (removed.messages === 0 && cursor !== null) ({ removed, cursor } = await store.pruneRows(pass, cursor))
    expect(removed).toMatchObject({ messages: 1 })
    expect(await store.getMessage('m')).toBeNull()
    await store.close()
  })
})
