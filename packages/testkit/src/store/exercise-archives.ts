import { describe, expect, test } from 'vitest'
import { completed, type MakeStoreHarness, NOW, reply, useStore } from './store-harness.ts'

/** Closed sessions on their way into archives. */
export function exerciseArchives(makeHarness: MakeStoreHarness): void {
  describe('closed sessions whose directories are not archived', () => {
    const s = useStore(makeHarness)
    const QUERY = { closedBeforeMs: NOW, group: null, after: null, limit: 9 }
    const close = async (sessionId: string, nowMs: number) => {
      await s.send({ sessionId })
      await s.store.closeSession(sessionId, nowMs)
    }
    const noted = async () => {
      const lines = await s.store.readJournal({ afterId: 0, limit: 1_000 })
      return lines.filter(({ type }) => type.startsWith('session:archive')).map(({ type, detail }) => [type, detail])
    }

    test('are listed in order of their closing, page by page, of all groups or of one', async () => {
      await close('g/b', NOW - 5)
      await close('h/c', NOW - 5)
      await close('g/a', NOW - 1)
      await close('g/later', NOW + 1)
      await s.send({ sessionId: 'g/open' })
      const ids = (found: readonly { readonly sessionId: string }[]) => found.map(({ sessionId }) => sessionId)
      expect(ids(await s.store.listUnarchived(QUERY))).toEqual(['g/b', 'h/c', 'g/a'])
      const first = await s.store.listUnarchived({ ...QUERY, limit: 1 })
      expect(first).toEqual([{ sessionId: 'g/b', group: 'g', closedAtMs: NOW - 5, notBeforeMs: 0 }])
      expect(ids(await s.store.listUnarchived({ ...QUERY, after: first[0] ?? null }))).toEqual(['h/c', 'g/a'])
      expect(ids(await s.store.listUnarchived({ ...QUERY, group: 'g' }))).toEqual(['g/b', 'g/a'])
    })

    test('are put on record as archived once, and listed no more', async () => {
      await close('g/main', NOW - 1)
      expect((await s.store.getSession('g/main'))?.archivedAtMs).toBeNull()
      expect(await s.store.recordArchived('g/main', { bytes: 1 }, NOW)).toBe(true)
      expect(await s.store.recordArchived('g/main', { bytes: 2 }, NOW + 1)).toBe(false)
      expect((await s.store.getSession('g/main'))?.archivedAtMs).toBe(NOW)
      expect(await s.store.listUnarchived(QUERY)).toEqual([])
      expect(await s.store.isSettled('g/main')).toBe(false)
      expect(await noted()).toEqual([['session:archived', { bytes: 1 }]])
    })

    test('tell why they are put off once for each reason, and not once they are archived', async () => {
      await close('g/main', NOW - 1)
      const putOff = (because: string, notBeforeMs: number) =>
        s.store.putOffArchive('g/main', { because, notBeforeMs, detail: {} }, NOW)
      await putOff('too-big', 5)
      await putOff('too-big', 6)
      await putOff('changed', 7)
      expect(await s.store.listUnarchived(QUERY)).toMatchObject([{ sessionId: 'g/main', notBeforeMs: 7 }])
      await s.store.recordArchived('g/main', {}, NOW)
      await putOff('failed', 8)
      expect(await noted()).toEqual([
        ['session:archivePutOff', { because: 'too-big' }],
        ['session:archivePutOff', { because: 'changed' }],
        ['session:archived', {}],
      ])
    })

    test('are not settled while open, running, at work, or with a reply that is not delivered', async () => {
      const settled = () => s.store.isSettled('g/main')
      expect(await s.store.isSettled('g/none')).toBe(false)
      const { run, message } = await s.claimOne()
      expect(await settled()).toBe(false)
      await s.store.closeSession('g/main', NOW)
      expect(await settled()).toBe(false)
      await s.take(run, {
        replies: [reply(1, { inReplyTo: message.id })],
        settlements: [completed(message)],
        takenSeq: 1,
      })
      expect(await settled()).toBe(false)
      await s.end1(run, {})
      expect(await settled()).toBe(false)
      expect(await s.store.recordArchived('g/main', {}, NOW)).toBe(false)
      expect((await s.store.getSession('g/main'))?.archivedAtMs).toBeNull()
      for (const { delivery } of await s.store.listDueDeliveries(NOW, 9)) {
        await s.store.recordDelivery(delivery.id, 1, { to: 'delivered', platformMessageId: null }, NOW)
      }
      expect(await settled()).toBe(true)
      expect(await s.store.recordArchived('g/main', {}, NOW)).toBe(true)
    })
  })
}
