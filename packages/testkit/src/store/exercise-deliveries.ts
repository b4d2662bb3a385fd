import { describe, expect, test } from 'vitest'
import { failed, type MakeStoreHarness, NOW, reply, useStore } from './store-harness.ts'

/** Replies on their way out, and dead letters. */
export function exerciseDeliveries(makeHarness: MakeStoreHarness): void {
  describe('deliveries', () => {
    const s = useStore(makeHarness)
    const due = async (nowMs = NOW, limit = 99, busy?: readonly string[]) =>
      (await s.store.listDueDeliveries(nowMs, limit, busy)).map(({ delivery, reply: { id } }) => ({
        ...delivery,
        reply: id,
      }))
    const only = async () => {
      const [delivery] = await due()
      if (delivery === undefined) throw new Error('nothing due')
      return delivery
    }
    const DELIVERED = { to: 'delivered', platformMessageId: 'x' } as const

    test('makes one delivery per sink and lists one per session and sink, the oldest', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1), reply(3)], sinks: ['a', 'b'] })
      expect(await due()).toMatchObject([
        { reply: 'r1', sink: 'a', attempts: 0, status: 'pending' },
        { reply: 'r1', sink: 'b' },
      ])
    })

    test('keeps order: nothing passes one that waits for its next attempt, other sessions and sinks go on', async () => {
      const { run } = await s.claimOne()
      const other = await s.claimOne({ sessionId: 'g/other' })
      await s.take(run, { replies: [reply(1), reply(3)] })
      await s.take(other.run, { replies: [reply(1, { id: 'o1' })] })
      const [head] = await due()
      if (head === undefined) throw new Error('nothing due')
      const retry = { to: 'retry', nextAttemptAtMs: NOW + 100, error: '503' } as const
      expect(await s.store.recordDelivery(head.id, 1, retry, NOW)).toBe(true)
      expect((await due()).map(({ reply: id }) => id)).toEqual(['o1'])
      expect((await due(NOW + 100)).map(({ reply: id }) => id)).toEqual(['o1', 'r1'])
      await s.store.recordDelivery(head.id, 2, DELIVERED, NOW + 100)
      expect((await due(NOW + 100)).map(({ reply: id }) => id)).toEqual(['r3', 'o1'])
    })

    test('(B9) records an outcome for exactly the attempt that was made, once', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1)] })
      const { id } = await only()
      expect(await s.store.recordDelivery(id, 2, DELIVERED, NOW)).toBe(false)
      expect(await s.store.recordDelivery(id, 0, DELIVERED, NOW)).toBe(false)
      expect(await s.store.recordDelivery(id, 1, DELIVERED, NOW)).toBe(true)
      expect(await s.store.recordDelivery(id, 1, DELIVERED, NOW)).toBe(false)
      expect(await s.store.recordDelivery(id, 2, DELIVERED, NOW)).toBe(false)
      expect(await s.store.recordDelivery(9_999, 1, DELIVERED, NOW)).toBe(false)
      expect(await s.lines({ type: 'reply:delivered' })).toMatchObject([
        { detail: { deliveryId: id, replyId: 'r1', attempts: 1 } },
      ])
    })

    test('holds a postponed reply for its time, and nothing behind it', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1, { deliverAfterMs: NOW + 50 }), reply(3)] })
      expect((await due()).map(({ reply: id }) => id)).toEqual(['r3'])
      expect((await due(NOW + 50)).map(({ reply: id }) => id)).toEqual(['r1'])
      expect(await s.store.nextDeliveryAtMs()).toBe(NOW)
      await s.store.recordDelivery((await only()).id, 1, DELIVERED, NOW)
      expect(await s.store.nextDeliveryAtMs()).toBe(NOW + 50)
    })

    test('does not hold a postponed reply up behind one that waits for its next attempt', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1), reply(3, { deliverAfterMs: NOW + 50 })] })
      const retry = { to: 'retry', nextAttemptAtMs: NOW + 1_000, error: '503' } as const
      await s.store.recordDelivery((await only()).id, 1, retry, NOW)
      expect((await due(NOW + 50)).map(({ reply: id }) => id)).toEqual(['r3'])
      expect((await due(NOW + 1_000)).map(({ reply: id }) => id)).toEqual(['r1'])
    })

    test('hands postponed replies over in order of their times, then of age, whatever order they were written in', async () => {
      const { run } = await s.claimOne()
      const at = [90, 50, 70, 50, 1_000]
      await s.take(run, {
        replies: at.map((afterMs, index) => reply(2 * index + 1, { deliverAfterMs: NOW + afterMs })),
      })
      const order: string[] = []
      expect(await s.store.nextDeliveryAtMs()).toBe(NOW + 50)
      for (let [next] = await due(NOW + 100); next !== undefined; [next] = await due(NOW + 100)) {
        order.push(next.reply)
        await s.store.recordDelivery(next.id, 1, DELIVERED, NOW + 100)
      }
      expect(order).toEqual(['r3', 'r7', 'r5', 'r1'])
      expect(await s.store.nextDeliveryAtMs()).toBe(NOW + 1_000)
    })

    test('does not hold a postponed reply up behind another one that waits for its next attempt', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { replies: [50, 60].map((ms, index) => reply(2 * index + 1, { deliverAfterMs: NOW + ms })) })
      const [first] = await due(NOW + 60)
      const retry = { to: 'retry', nextAttemptAtMs: NOW + 1_000, error: '503' } as const
      await s.store.recordDelivery(first?.id ?? 0, 1, retry, NOW + 60)
      const [second] = await due(NOW + 60)
      expect([first?.reply, second?.reply]).toEqual(['r1', 'r3'])
      await s.store.recordDelivery(second?.id ?? 0, 1, { to: 'failed', error: '410' }, NOW + 60)
      expect(await due(NOW + 999)).toEqual([])
      expect(await due(NOW + 1_000)).toMatchObject([{ reply: 'r1', attempts: 1 }])
    })

    test('(B13) leaves out busy sinks before it counts', async () => {
      for (let index = 0; index < 5; index += 1) {
        const { run } = await s.claimOne({ sessionId: `g/s${index}` })
        const sinks = index < 4 ? ['full'] : ['free']
        await s.take(run, { replies: [reply(1, { id: `r-${index}` })], sinks })
      }
      expect((await due(NOW, 1, ['full'])).map(({ sink }) => sink)).toEqual(['free'])
    })

    test('says when the next is due, and null when none is pending', async () => {
      expect(await s.store.nextDeliveryAtMs()).toBeNull()
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1), reply(3)] })
      const { id } = await only()
      await s.store.recordDelivery(id, 1, { to: 'retry', nextAttemptAtMs: NOW + 70, error: 'x' }, NOW)
      expect(await s.store.nextDeliveryAtMs()).toBe(NOW + 70)
    })

    test('(B11) keeps a refused delivery as a dead letter and lets the next one pass', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1), reply(3)] })
      const { id } = await only()
      await s.store.recordDelivery(id, 1, { to: 'failed', error: '410' }, NOW)
      expect((await only()).reply).toBe('r3')
      expect(await s.store.listDead({ limit: 9 })).toMatchObject([
        { kind: 'delivery', delivery: { id, lastError: '410' }, reply: { id: 'r1' } },
      ])
      expect(await s.store.getDeadDelivery(id)).toMatchObject({ delivery: { id }, reply: { id: 'r1' } })
    })

    test('(H4) replays a dead delivery in its turn, or drops it', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1), reply(3)] })
      const { id } = await only()
      await s.store.recordDelivery(id, 1, { to: 'failed', error: '410' }, NOW)
      expect(await s.store.replayDeadDelivery(id, NOW)).toBe('replayed')
      expect(await s.store.replayDeadDelivery(id, NOW)).toBe('not-dead')
      expect(await due()).toHaveLength(1)
      await s.store.recordDelivery((await only()).id, 1, DELIVERED, NOW)
      expect(await only()).toMatchObject({ id, attempts: 0 })
      await s.store.recordDelivery(id, 1, { to: 'failed', error: '410' }, NOW)
      expect(await s.store.dropDeadDelivery(id, NOW)).toBe('dropped')
      expect(await s.store.dropDeadDelivery(id, NOW)).toBe('not-dead')
      expect(await s.store.dropDeadDelivery(9_999, NOW)).toBe('not-found')
      expect(await s.store.replayDeadDelivery(9_999, NOW)).toBe('not-found')
      expect(await s.store.listDead({ limit: 9 })).toEqual([])
    })
  })

  describe('dead messages', () => {
    const s = useStore(makeHarness)

    async function dead(sessionId = 'g/main', nowMs = NOW): Promise<string> {
      const { id, run, message } = await s.claimOne({ sessionId })
      await s.end1(run, { settlements: [failed(message)], nowMs })
      return id
    }

    test('(H4) lists those that died last first, of one session or all', async () => {
      const first = await dead('g/a', NOW)
      const second = await dead('g/b', NOW + 1)
      const ids = async (query: { sessionId?: string; limit: number }) =>
        (await s.store.listDead(query)).map((letter) => (letter.kind === 'message' ? letter.message.id : letter.kind))
      expect(await ids({ limit: 9 })).toEqual([second, first])
      expect(await ids({ limit: 1 })).toEqual([second])
      expect(await ids({ sessionId: 'g/a', limit: 9 })).toEqual([first])
    })

    test('(H4) replays one with all its tries and a new attempt, or drops it', async () => {
      const id = await dead()
      const before = await s.message(id)
      expect(await s.store.replayDeadMessage(id, NOW + 5)).toBe('replayed')
      expect(await s.store.replayDeadMessage(id, NOW + 5)).toBe('not-dead')
      expect(await s.message(id)).toMatchObject({
        status: 'pending',
        tries: 0,
        failure: null,
        processAfterMs: NOW + 5,
        error: 'boom',
      })
      const run = await s.startRun('g/main', NOW + 5)
      expect((await s.message(id)).attempt).toBe(before.attempt + 1)
      await s.end1(run, { settlements: [failed(await s.message(id))] })
      expect(await s.store.dropDeadMessage(id, NOW)).toBe('dropped')
      expect(await s.store.dropDeadMessage(id, NOW)).toBe('not-dead')
      expect(await s.message(id)).toMatchObject({ status: 'failed', deadLetter: false })
      expect(await s.store.dropDeadMessage('none', NOW)).toBe('not-found')
      expect(await s.store.replayDeadMessage('none', NOW)).toBe('not-found')
    })

    test('replays nothing into a closed session', async () => {
      const id = await dead()
      await s.store.closeSession('g/main', NOW)
      expect(await s.store.replayDeadMessage(id, NOW)).toBe('session-closed')
    })
  })
}
