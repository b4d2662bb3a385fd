import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openForWriting } from '../../src/store/sqlite/open-database.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { realWorld, type World } from '../../src/world.ts'
import { newMessage } from './messages.ts'
import { useTempDir } from './temp-dir.ts'

const dataDir = useTempDir()

describe('group commit', () => {
  let store: SqliteStore

  beforeEach(async () => {
    store = await openStore({ dataDir: dataDir(), world: realWorld })
  })

  afterEach(() => store.close())

  test('puts sends of one turn into one commit', async () => {
    const sends = Array.from({ length: 64 }, (_, index) => store.accept([newMessage(`m${index}`)], 1))
    expect(store.commits).toBe(0)
    await Promise.all(sends)
    expect(store.commits).toBe(1)
  })

  test('keeps 64 senders that each wait for their acknowledgement in step', async () => {
    const sendTen = async (sender: number) => {
      for (let round = 0; round < 10; round += 1) await store.accept([newMessage(`m${sender}-${round}`)], 1)
    }
    await Promise.all(Array.from({ length: 64 }, (_, sender) => sendTen(sender)))
    expect(store.commits).toBe(10)
  })

  test('bounds the work of one commit', async () => {
    const sends = Array.from({ length: 30 }, (_, call) =>
      store.accept(
        Array.from({ length: 100 }, (_, index) => newMessage(`m${call}-${index}`)),
        1,
      ),
    )
    await Promise.all(sends)
    expect(store.commits).toBe(3)
  })

  test('does over, each alone, the writes of a commit in which one threw', async () => {
    const begin = (sessionId: string) =>
      store.beginRun({
        sessionId,
        runtime: 'process',
        nameOf: () => 'same-name',
        maxLiveRuns: 9,
        probeForMs: 60_000,
        nowMs: 1_000,
      })
    await store.accept([newMessage('m1', 'g/a'), newMessage('m2', 'g/b')], 1)
    const outcomes = await Promise.allSettled([begin('g/a'), begin('g/b'), store.accept([newMessage('m3')], 1)])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((await store.listLiveRuns()).map(({ sessionId }) => sessionId)).toEqual(['g/a'])
    expect((await store.getSession('g/b'))?.epoch).toBe(0)
    expect(await store.getMessage('m3')).not.toBeNull()
  })

  test('tells listeners an id that stands, also when a part of the commit was undone', async () => {
    const heard: number[] = []
    store.onJournal((lastId) => heard.push(lastId))
    await store.accept([newMessage('m1'), newMessage('m2', 'g/new', { processAfterMs: 1.5 })], 1)
    expect(heard).toEqual([await store.lastJournalId()])
  })

  test('keeps to its commits when a listener throws, and goes on', async () => {
    const path = dataDir()
    await store.close()
    const deferred: (() => void)[] = []
    store = new SqliteStore(openForWriting(path), path, {
      newId: (prefix) => `${prefix}1`,
      defer: (fn) => deferred.push(fn),
    })
    const leave = store.onJournal(() => {
      throw new Error('from a listener')
    })
    const sent = store.accept([newMessage('m1')], 1)
    expect(() => deferred.shift()?.()).toThrow('from a listener')
    expect(await sent).toMatchObject([{ messageId: 'm1' }])
    leave()
    const next = store.accept([newMessage('m2')], 1)
    deferred.shift()?.()
    expect(await next).toMatchObject([{ messageId: 'm2' }])
  })

  test('commits what was asked for before it closes', async () => {
    const sent = store.accept([newMessage('m1')], 1)
    await store.close()
    expect(await sent).toMatchObject([{ messageId: 'm1' }])
  })
})

test('never waits for a timer', async () => {
  const world: World = {
    ...realWorld,
    setTimer: () => {
      throw new Error('a timer')
    },
  }
  const store = await openStore({ dataDir: dataDir(), world })
  for (let index = 0; index < 20; index += 1) await store.accept([newMessage(`m${index}`)], 1)
  expect(store.commits).toBe(20)
  await store.close()
})
