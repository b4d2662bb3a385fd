import { expect, test } from 'vitest'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import { realWorld } from '../../src/world.ts'
import { Child } from './child.ts'
import { useTempDir } from './temp-dir.ts'

const dataDir = useTempDir()

test('(B17) keeps every message it acknowledged when it is killed in the middle of sends, five times over', async () => {
  const acknowledged = new Set<string>()
  for (let round = 0; round < 5; round += 1) {
    const child = new Child('send-forever', dataDir())
    for (let line = 0; line < 200 + 37 * round; line += 1) await child.line()
    await child.kill()
    for (const id of child.written) acknowledged.add(id)
  }
  const store = await openStore({ dataDir: dataDir(), world: realWorld })
  const found = await store.getMessages([...acknowledged])
  const seqs = await Promise.all(
    ['g/s0', 'g/s1', 'g/s2'].map((sessionId) => store.listMessages({ sessionId, limit: 1_000_000 })),
  )
  const journalled = await store.readJournal({ afterId: 0, limit: 1_000_000 })
  await store.close()
  expect(found.length).toBe(acknowledged.size)
  expect(acknowledged.size).toBeGreaterThanOrEqual(200)
  for (const messages of seqs) {
    // Each seq once, without a gap: what was not committed took none.
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => (messages.length - index) * 2))
  }
  const accepted = journalled.filter(({ type }) => type === 'message:accepted')
  expect(accepted.length).toBe(seqs.flat().length)
})
