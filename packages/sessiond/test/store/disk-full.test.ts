import { chmodSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Database } from '../../src/store/sqlite/database.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { openForWriting } from '../../src/store/sqlite/open-database.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { realWorld } from '../../src/world.ts'
import { newMessage } from './messages.ts'
import { useTempDir } from './temp-dir.ts'
import { useTinyDisk } from './tiny-disk.ts'

const temp = useTempDir()
const content = JSON.stringify({ text: 'x'.repeat(2_000) })

/** Sends until the store has no room; returns what was acknowledged. */
async function sendUntilFull(store: SqliteStore, prefix: string): Promise<string[]> {
  const acknowledged: string[] = []
  for (let index = 0; index < 10_000; index += 1) {
    const batch = [newMessage(`${prefix}${index}`, 'g/main', { content })]
    try {
      await store.accept(batch, 1)
      acknowledged.push(`${prefix}${index}`)
    } catch (error) {
      expect(error).toMatchObject({ code: 'DISK_FULL', retryable: true })
      return acknowledged
    }
  }
  throw new Error('the disk never filled up')
}

test.runIf(useTinyDisk.isPossible)(
  'loses nothing acknowledged on a full disk, and works again once there is space',
  async () => {
    using disk = useTinyDisk(4 * 1024 * 1024)
    chmodSync(disk.path, 0o700)
    let store = await openStore({ dataDir: disk.path, world: realWorld })
    await store.accept([newMessage('first')], 1)
    disk.fill()
    const acknowledged = ['first', ...(await sendUntilFull(store, 'a'))]
    // Each of a group that shares the commit is refused, and reading goes on.
    const group = await Promise.allSettled(
      [1, 2, 3].map((n) => store.accept([newMessage(`g${n}`, 'g/main', { content })], 1)),
    )
    expect(group.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(await store.getMessages(acknowledged)).toHaveLength(acknowledged.length)
    disk.free()
    acknowledged.push(...(await sendUntilFull(store, 'b')))
    expect(acknowledged.length).toBeGreaterThan(50)
    await store.close()
    store = await openStore({ dataDir: disk.path, world: realWorld })
    expect(await store.getMessages(acknowledged)).toHaveLength(acknowledged.length)
    expect(await store.listMessages({ sessionId: 'g/main', limit: 100_000 })).toHaveLength(acknowledged.length)
    await store.close()
  },
)

test('loses nothing acknowledged when its file may not grow, and works again once it may', async () => {
  const db: Database = openForWriting(temp())
  migrate(db, () => 'i1')
  db.exec('PRAGMA max_page_count = 200')
  const store = new SqliteStore(db, temp(), { newId: (prefix) => `${prefix}1`, defer: setImmediate })
  const acknowledged = await sendUntilFull(store, 'a')
  expect(acknowledged.length).toBeGreaterThan(10)
  db.exec('PRAGMA max_page_count = 100000')
  expect(await store.accept([newMessage('after')], 1)).toMatchObject([{ duplicate: false }])
  expect(await store.getMessages(acknowledged)).toHaveLength(acknowledged.length)
  await store.close()
})
