import { PROVIDER } from '@sessiond/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import type { NewReply, Store } from '../../src/store/store.ts'
import { realWorld } from '../../src/world.ts'
import { newMessage } from './messages.ts'
import { useTempDir } from './temp-dir.ts'

const dataDir = useTempDir()
const sessionId = 'g/main'
const NOW = 1_000
/** 100 bytes, of 99 characters. */
const CONTENT = JSON.stringify({ text: `ü${'x'.repeat(87)}` })

let store: Store
beforeEach(async () => {
  store = await openStore({ dataDir: dataDir(), world: realWorld })
})
afterEach(() => store.close())

/** Ten messages of 100 bytes with the even seqs 2 to 20; the odd ones are context. */
async function acceptTen(): Promise<void> {
  const numbers = Array.from({ length: 10 }, (_, index) => index + 1)
  await store.accept(
    numbers.map((nth) => newMessage(`m${nth}`, sessionId, { content: CONTENT, trigger: nth % 2 === 0 })),
    NOW,
  )
}

async function idsOf(filter: Partial<Parameters<Store['listMessages']>[0]>): Promise<string[]> {
  return (await store.listMessages({ sessionId, limit: 100, ...filter })).map(({ id }) => id)
}

function newReply(seq: number, inReplyTo: string | null): NewReply {
  const address = { platformId: null, channelType: null, threadId: null }
  return { id: `r${seq}`, seq, inReplyTo, kind: 'chat', content: CONTENT, deliverAfterMs: NOW, address }
}

/** A run's ten replies of 100 bytes, all to m2 and all to one sink. */
async function replyTen(): Promise<void> {
  const run = { sessionId, epoch: 1, name: 'run-1' }
  await store.beginRun({
    sessionId,
    runtime: 'process',
    nameOf: () => run.name,
    maxLiveRuns: 9,
    probeForMs: 60_000,
    nowMs: NOW,
  })
  const replies = Array.from({ length: 10 }, (_, index) => newReply(2 * index + 1, 'm2'))
  const nothing = { provider: PROVIDER, settlements: [], countedAcks: [], requests: [], sessionState: [], journal: [] }
  await store.takeOutbox({ ...nothing, run, nowMs: NOW, takenSeq: 19, sinks: ['hook'], replies })
}

/** Has the sink refuse every reply for good, each one millisecond after the one before. */
async function refuseAll(): Promise<void> {
  for (let nowMs = NOW; ; nowMs += 1) {
    const [due] = await store.listDueDeliveries(nowMs, 1)
    if (due === undefined) return
    await store.recordDelivery(due.delivery.id, 1, { to: 'failed', error: 'gone' }, nowMs)
  }
}

describe('a list of long texts', () => {
  test('of messages ends before its bytes are passed, and goes on where it ended', async () => {
    await acceptTen()
    expect(CONTENT).toHaveLength(99)
    expect(await idsOf({ maxBytes: 399 })).toEqual(['m10', 'm9', 'm8'])
    expect(await idsOf({ maxBytes: 400, beforeSeq: 16 })).toEqual(['m7', 'm6', 'm5', 'm4'])
    expect(await idsOf({ maxBytes: 400, limit: 2 })).toEqual(['m10', 'm9'])
    expect(await idsOf({})).toHaveLength(10)
  })

  test('of messages of several kinds leaves none out between the first and the last', async () => {
    await acceptTen()
    expect(await idsOf({ maxBytes: 500, statuses: ['pending', 'failed'] })).toEqual(['m10', 'm9', 'm8', 'm7', 'm6'])
  })

  test('has one entry though that one is too long by itself', async () => {
    await acceptTen()
    await replyTen()
    await refuseAll()
    expect(await idsOf({ maxBytes: 1 })).toEqual(['m10'])
    expect((await store.listReplies({ sessionId, limit: 100, maxBytes: 1 })).map(({ id }) => id)).toEqual(['r19'])
    expect(await store.listDead({ limit: 100, maxBytes: 1 })).toMatchObject([{ reply: { id: 'r19' } }])
  })

  test('of replies has the newest of them, in order of arrival', async () => {
    await acceptTen()
    await replyTen()
    const bounds = { sessionId, limit: 100, maxBytes: 399 }
    expect((await store.listReplies(bounds)).map(({ id }) => id)).toEqual(['r15', 'r17', 'r19'])
    expect((await store.listReplies({ ...bounds, inReplyTo: 'm2' })).map(({ id }) => id)).toEqual(['r15', 'r17', 'r19'])
  })

  test('of replies to a message goes on after the one it ended with, to the last', async () => {
    await acceptTen()
    await replyTen()
    const all: string[] = []
    for (let afterId: string | null = null; ; ) {
      const page = await store.listRepliesAfter({ sessionId, inReplyTo: 'm2', afterId, limit: 4, maxBytes: 399 })
      expect(page.length).toBeLessThanOrEqual(3)
      if (page.length === 0) break
      all.push(...page.map(({ id }) => id))
      afterId = all.at(-1) ?? null
    }
    expect(all).toEqual(['r1', 'r3', 'r5', 'r7', 'r9', 'r11', 'r13', 'r15', 'r17', 'r19'])
    const whole = { sessionId, inReplyTo: 'm2', afterId: null, limit: 4, maxBytes: 1_000_000 }
    expect(await store.listRepliesAfter(whole)).toHaveLength(4)
  })

  test('of dead letters has those that died last', async () => {
    await acceptTen()
    await replyTen()
    await refuseAll()
    const dead = await store.listDead({ limit: 100, maxBytes: 399 })
    expect(dead).toMatchObject([{ reply: { id: 'r19' } }, { reply: { id: 'r17' } }, { reply: { id: 'r15' } }])
  })
})
