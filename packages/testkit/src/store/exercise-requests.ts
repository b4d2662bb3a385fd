import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import { describe, expect, test } from 'vitest'
import { keyOf, type MakeStoreHarness, NOW, useStore } from './store-harness.ts'

const request = (seq: number, id = `q${seq}`) => ({ id, seq, content: JSON.stringify({ action: 'list_tasks', seq }) })
const OK = { status: 'ok', text: 'Done.' } as const

/** What agents ask of their host, from the outbox to the answer. */
export function exerciseRequests(makeHarness: MakeStoreHarness): void {
  describe('requests of agents', () => {
    const s = useStore(makeHarness)

    test('are open, oldest first, until they are answered, once', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { requests: [request(1), request(3)] })
      const open = await s.store.listOpenRequests(10)
      expect(open).toMatchObject([
        { id: 'q1', sessionId: run.sessionId, epoch: run.epoch, createdAtMs: NOW },
        { id: 'q3', content: '{"action":"list_tasks","seq":3}' },
      ])
      const [first] = open
      expect(await s.store.recordAnswer(first?.ordinal ?? 0, OK, NOW)).toBe(true)
      expect(await s.store.recordAnswer(first?.ordinal ?? 0, { status: 'refused', text: 'No.' }, NOW)).toBe(false)
      expect(await s.store.listOpenRequests(10)).toMatchObject([{ id: 'q3' }])
      expect(await s.store.listAnswers(keyOf(run), 10)).toEqual([{ requestId: 'q1', ...OK }])
    })

    test('are taken once, by place and by id, and nothing is taken of a run that is gone', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { requests: [request(1)] })
      await s.take(run, { requests: [request(1), request(1, 'other'), request(5, 'q1')] })
      expect(await s.store.listOpenRequests(10)).toHaveLength(1)
      await s.take({ ...run, epoch: 9, name: 'another' }, { requests: [request(7)] })
      expect(await s.store.listOpenRequests(10)).toHaveLength(1)
    })

    test('outlive a restart of the host', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { requests: [request(1)] })
      await s.reopen()
      expect(await s.store.listOpenRequests(10)).toMatchObject([{ id: 'q1' }])
    })

    test('are answered to the run that asked, not to the one after it', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { requests: [request(1)] })
      const [open] = await s.store.listOpenRequests(1)
      await s.store.recordAnswer(open?.ordinal ?? 0, OK, NOW)
      expect(await s.store.listAnswers({ ...keyOf(run), epoch: run.epoch + 1 }, 10)).toEqual([])
    })

    test('(G7) are refused beyond so many a minute, and keep a bounded number of rows whatever a run writes', async () => {
      const { run } = await s.claimOne()
      const { requestsPerMinute } = PROTOCOL_LIMITS
      const flood = Array.from({ length: 1_000 }, (_, index) => request(2 * index + 1))
      await s.take(run, { requests: flood })
      expect(await s.store.listOpenRequests(10_000)).toHaveLength(requestsPerMinute)
      const answers = await s.store.listAnswers(keyOf(run), 10_000)
      expect(answers).toHaveLength(100)
      expect(answers.at(-1)).toMatchObject({ requestId: 'q1999', status: 'refused' })
      const later = NOW + 60_001
      await s.take(run, { requests: [request(2_001)], nowMs: later })
      expect(await s.store.listOpenRequests(10_000)).toHaveLength(requestsPerMinute + 1)
    })
  })
}
