import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { SCHEMA_VERSION } from '../../src/store/sqlite/migrate.ts'
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
  // After a new step in migrations.ts: vitest run -u writes the dump anew; review it like code.
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
