import { describe, expect, test } from 'vitest'
import { completed, type MakeStoreHarness, NOW, reply, retried, useStore, WINDOW } from './store-harness.ts'

/** A wall clock that is set back while something is due. */
export function exerciseClock(makeHarness: MakeStoreHarness): void {
  describe('a wall clock set back by an hour', () => {
    const s = useStore(makeHarness)
    const BACK = NOW - 3_600_000
    const recall = async (nowMs = BACK) => {
      while (await s.store.recallDue(nowMs)) {
        // The next ones.
      }
    }
    const waiting = async (nowMs = BACK) => (await s.store.listWaiting(nowMs, 9)).map(({ sessionId }) => sessionId)

    test('(A13) leaves what asked for no time due, and what waits for its own time waiting', async () => {
      await s.send({ sessionId: 'g/at-once' })
      await s.send({ sessionId: 'g/context', trigger: false })
      const later = await s.send({ sessionId: 'g/later', processAfterMs: NOW + 5 })
      await recall()
      expect(await waiting()).toEqual(['g/at-once'])
      expect(await s.store.oldestDueAtMs(BACK)).toBe(BACK)
      expect(await s.store.nextDueAtMs(BACK)).toBe(NOW + 5)
      expect((await s.message(later)).processAfterMs).toBe(NOW + 5)
      expect((await s.store.readFacts('g/at-once', BACK))?.dueUnprojected).toBe(1)
    })

    test('leaves a retry at once due, and one that backs off waiting', async () => {
      const atOnce = await s.claimOne({ sessionId: 'g/at-once' })
      const backsOff = await s.claimOne({ sessionId: 'g/backs-off' })
      await s.end1(atOnce.run, {
        settlements: [retried(atOnce.message, { processAfterMs: NOW, spendsTry: false, because: 'host-shutdown' })],
      })
      await s.end1(backsOff.run, { settlements: [retried(backsOff.message, { processAfterMs: NOW + 5 })] })
      await recall()
      expect(await waiting()).toEqual(['g/at-once'])
      expect((await s.message(backsOff.id)).processAfterMs).toBe(NOW + 5)
    })

    test('leaves due what went back without a word when its run ended', async () => {
      const { run } = await s.claimOne()
      await s.end1(run)
      await recall()
      expect(await waiting()).toEqual(['g/main'])
    })

    test('lets nothing sent after it overtake what was sent before', async () => {
      const before = [await s.send(), await s.send({ processAfterMs: NOW + 1 }, NOW + 1)]
      const after = await s.send({ processAfterMs: BACK }, BACK)
      const run = await s.begin1('g/main', BACK)
      const window = await s.store.fillWindow(run, BACK, WINDOW, true)
      expect(window?.map(({ id }) => id)).toEqual([...before, after])
    })

    test('leaves the times of senders that read the clock in another order than they were accepted alone', async () => {
      const id = await s.send({ processAfterMs: NOW + 900 }, NOW + 900)
      await s.send()
      expect(await s.store.recallDue(NOW)).toBe(false)
      expect((await s.message(id)).processAfterMs).toBe(NOW + 900)
    })

    test('is made up for in bounded steps, and does nothing when it is over', async () => {
      const many = Array.from({ length: 1_200 }, () => s.newMessage())
      await s.store.accept(many, NOW)
      expect(await s.store.recallDue(BACK)).toBe(true)
      expect(await s.message(many.at(-1)?.id ?? '')).toMatchObject({ processAfterMs: NOW })
      await recall()
      expect(await s.message(many.at(-1)?.id ?? '')).toMatchObject({ processAfterMs: BACK })
      expect(await s.store.recallDue(BACK)).toBe(false)
    })

    test('leaves replies on their first way out due, one behind the other, and none else', async () => {
      const { run, message } = await s.claimOne()
      const other = await s.claimOne({ sessionId: 'g/other' })
      const postponed = reply(5, { deliverAfterMs: NOW + 50 })
      await s.take(run, { replies: [reply(1), reply(3), postponed], settlements: [completed(message)] })
      await s.take(other.run, { replies: [reply(1, { id: 'o1' })] })
      const due = async () => (await s.store.listDueDeliveries(BACK, 9)).map((one) => one.reply.id)
      const [, retriedOne] = await s.store.listDueDeliveries(NOW, 9)
      const retry = { to: 'retry', nextAttemptAtMs: NOW + 9, error: '503' } as const
      await s.store.recordDelivery(retriedOne?.delivery.id ?? 0, 1, retry, NOW)
      await recall()
      expect(await due()).toEqual(['r1'])
      const [first] = await s.store.listDueDeliveries(BACK, 9)
      await s.store.recordDelivery(first?.delivery.id ?? 0, 1, { to: 'delivered', platformMessageId: null }, BACK)
      expect(await due()).toEqual(['r3'])
    })
  })
}
