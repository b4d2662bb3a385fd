import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { SCHEMA_VERSION } from '../../src/store/sqlite/migrate.ts'
import { MIGRATIONS } from '../../src/store/sqlite/migrations.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import { realWorld } from '../../src/world.ts'
import { Child } from './child.ts'
import { newMessage } from './messages.ts'
import { useTempDir } from './temp-dir.ts'

const dataDir = useTempDir()
const open = () => openStore({ dataDir: dataDir(), world: realWorld })

function look<T>(see: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(dataDir(), 'store.db'))
  try {
    return see(db)
  } finally {
    db.close()
  }
}

const dump = () =>
  look((db) => db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'").all())
    .map(({ sql }) => `${sql};\n`)
    .join('\n')

test('brings an empty directory to the schema in schema.sql', async () => {
  await (await open()).close()
  // After a new step in migrations.ts: `vitest run <this file> -u` writes the dump anew; review it like code.
  await expect(dump()).toMatchFileSnapshot(fileURLToPath(new URL('../../src/store/sqlite/schema.sql', import.meta.url)))
})

test('changes nothing the second time', async () => {
  const first = await open()
  await first.accept([newMessage('m1')], 1)
  await first.close()
  const before = dump()
  const second = await open()
  expect(second.installId).toBe(first.installId)
  expect(await second.getMessage('m1')).not.toBeNull()
  await second.close()
  expect(dump()).toBe(before)
})

test('is safe when processes open a new store at once: one makes it, all find the same', async () => {
  const children = Array.from({ length: 4 }, () => new Child('open-store', dataDir()))
  for (const child of children) expect(await child.line()).toBe('ready')
  for (const child of children) child.finish()
  const ids = await Promise.all(children.map((child) => child.line()))
  expect(new Set(ids).size).toBe(1)
  expect(await Promise.all(children.map((child) => child.closed()))).toEqual([0, 0, 0, 0])
  expect(look((db) => db.prepare('PRAGMA user_version').get())).toEqual({ user_version: SCHEMA_VERSION })
})

test('refuses a store that newer code wrote, and leaves it as it is', async () => {
  await (await open()).close()
  look((db) => db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`))
  const before = readFileSync(join(dataDir(), 'store.db'))
  await expect(open()).rejects.toMatchObject({
    code: 'DATA_DIR_NEWER',
    fields: { found: SCHEMA_VERSION + 1, known: SCHEMA_VERSION },
  })
  expect(readFileSync(join(dataDir(), 'store.db')).equals(before)).toBe(true)
})

test('gives a store of the first schema one postponed head per lane, and knows what was due at once', async () => {
  look((db) => {
    db.exec(MIGRATIONS[0] ?? '')
    db.exec(`PRAGMA user_version = 1;
      INSERT INTO meta (key, value) VALUES ('install_id', 'i1');
      INSERT INTO sessions (id, group_name, name, created_at_ms, last_seq) VALUES ('g/main', 'g', 'main', 1, 4);
      INSERT INTO messages (id, session_id, seq, kind, content, process_after_ms, trigger, on_wake, created_at_ms)
        VALUES ('at-once', 'g/main', 2, 'chat', '{}', 9000000, 1, 0, 9000000),
               ('later', 'g/main', 4, 'chat', '{}', 9000001, 1, 0, 9000000);`)
    for (const [id, atMs, isPostponed] of [
      ['a', 9, 1],
      ['b', 5, 1],
      ['c', 5, 1],
      ['d', 1, 0],
    ] as const) {
      db.prepare(`INSERT INTO replies (id, session_id, kind, content, created_at_ms, deliver_after_ms)
        VALUES (?, 'g/main', 'chat', '{}', 1, ?)`).run(id, atMs)
      db.prepare(`INSERT INTO deliveries (reply_id, session_id, sink, is_queued, is_postponed, next_attempt_at_ms)
        VALUES (?, 'g/main', 'hook', 0, ?, ?)`).run(id, isPostponed, atMs)
    }
  })
  const store = await open()
  const order: string[] = []
  for (let [next] = await store.listDueDeliveries(9, 9); next !== undefined; ) {
    order.push(next.reply.id)
    await store.recordDelivery(next.delivery.id, 1, { to: 'delivered', platformMessageId: null }, 9)
    ;[next] = await store.listDueDeliveries(9, 9)
  }
  await store.recallDue(1)
  const times = (await store.getMessages(['at-once', 'later'])).map(({ processAfterMs }) => processAfterMs)
  await store.close()
  expect(order).toEqual(['b', 'c', 'a', 'd'])
  expect(times).toEqual([1, 9_000_001])
})
