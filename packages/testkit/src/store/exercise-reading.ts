import { describe, expect, test } from 'vitest'
import { completed, failed, type MakeStoreHarness, NOW, useStore } from './store-harness.ts'

/** Listings and the journal. */
export function exerciseReading(makeHarness: MakeStoreHarness): void {
  describe('listings', () => {
    const s = useStore(makeHarness)

    test('pages through sessions in order of id, with what is open in each', async () => {
      const { run, message } = await s.claimOne({ sessionId: 'b/main' })
      await s.send({ sessionId: 'b/main', processAfterMs: NOW + 9 })
      await s.send({ sessionId: 'b/main', trigger: false })
      await s.send({ sessionId: 'a/x' })
      await s.send({ sessionId: 'bb/x' })
      const all = await s.store.listSessions({ limit: 9, nowMs: NOW })
      expect(all.map(({ id }) => id)).toEqual(['a/x', 'b/main', 'bb/x'])
      const summary = { runState: 'running', pending: 2, claimed: 1, deadLetters: 0, nextDueAtMs: NOW + 9 }
      expect(all[1]).toMatchObject(summary)
      expect(await s.store.getSessionSummary('b/main', NOW)).toMatchObject({ id: 'b/main', ...summary })
      expect(await s.store.getSessionSummary('b/none', NOW)).toBeNull()
      expect(await s.store.listSessions({ limit: 1, after: 'a/x', nowMs: NOW })).toMatchObject([{ id: 'b/main' }])
      expect(await s.store.listSessions({ limit: 9, group: 'b', nowMs: NOW })).toMatchObject([{ id: 'b/main' }])
      await s.end1(run, { settlements: [failed(message)] })
      expect(await s.store.getSessionSummary('b/main', NOW)).toMatchObject({
        runState: null,
        claimed: 0,
        deadLetters: 1,
      })
    })

    test('lists messages newest first, by status and page', async () => {
      const { id, run, message } = await s.claimOne()
      await s.take(run, { settlements: [completed(message)] })
      const pending = [await s.send(), await s.send({ trigger: false }), await s.send()]
      const ids = async (query: object) =>
        (await s.store.listMessages({ sessionId: 'g/main', limit: 9, ...query })).map((found) => found.id)
      expect(await ids({})).toEqual([...pending].reverse().concat(id))
      expect(await ids({ limit: 2 })).toEqual(pending.slice(1).reverse())
      expect(await ids({ statuses: ['pending'], limit: 2 })).toEqual(pending.slice(1).reverse())
      expect(await ids({ statuses: ['completed', 'failed'] })).toEqual([id])
      expect(await ids({ statuses: [] })).toEqual([])
      expect(await ids({ beforeSeq: 4 })).toEqual([id])
    })

    test('gives messages by id, in the order asked for, without the missing', async () => {
      const ids = [await s.send(), await s.send()]
      const found = await s.store.getMessages([ids[1] ?? '', 'none', ids[0] ?? ''])
      expect(found.map(({ id }) => id)).toEqual([...ids].reverse())
    })
  })

  describe('the journal', () => {
    const s = useStore(makeHarness)

    test('(H2) tells a message from acceptance to its end, with reasons, and never what it says', async () => {
      const { id, run, message } = await s.claimOne({ content: '{"text":"a secret"}' })
      await s.end1(run, { settlements: [failed(message)] })
      const lines = await s.lines({ messageId: id })
      expect(lines.map(({ type }) => type)).toEqual([
        'message:accepted',
        'message:claimed',
        'message:failed',
        'reply:written',
      ])
      expect(lines[2]).toMatchObject({
        epoch: 1,
        detail: { failure: 'TRIES_EXHAUSTED', because: 'agent-failed', tries: 1, deadLetter: true },
      })
      expect(JSON.stringify(await s.lines())).not.toContain('secret')
    })

    test('is read on from any line, filtered by session', async () => {
      await s.send({ sessionId: 'g/a' })
      const afterId = await s.store.lastJournalId()
      await s.send({ sessionId: 'g/b' })
      await s.send({ sessionId: 'g/a' })
      const rest = await s.store.readJournal({ afterId, limit: 99 })
      expect(rest.map(({ sessionId }) => sessionId)).toEqual(['g/b', 'g/b', 'g/a'])
      expect(rest.map(({ id }) => id)).toEqual([afterId + 1, afterId + 2, afterId + 3])
      expect(await s.store.readJournal({ afterId, sessionId: 'g/a', limit: 99 })).toHaveLength(1)
      expect(await s.store.readJournal({ afterId, limit: 1 })).toHaveLength(1)
      expect(await s.store.lastJournalId()).toBe(afterId + 3)
    })

    test('is read from its newest line back, of a session, a run or a message', async () => {
      const { id, run, message } = await s.claimOne()
      await s.end1(run, { settlements: [failed(message)] })
      const newest = (await s.store.listJournal({ limit: 2 })).map((line) => line.id)
      expect(newest).toEqual([await s.store.lastJournalId(), (await s.store.lastJournalId()) - 1])
      const ofMessage = await s.store.listJournal({ messageId: id, limit: 99 })
      expect(ofMessage.toReversed()).toEqual(await s.lines({ messageId: id }))
      const { sessionId } = run
      const ofRun = await s.store.listJournal({ sessionId, epoch: 1, limit: 99 })
      expect(ofRun.length).toBeGreaterThan(0)
      expect(ofRun.every((line) => line.sessionId === sessionId && line.epoch === 1)).toBe(true)
      expect(await s.store.listJournal({ sessionId, epoch: 2, limit: 99 })).toEqual([])
    })

    test('calls listeners after the commit, with the last id, and not after they have left', async () => {
      const heard: number[] = []
      const leave = s.store.onJournal((lastId) => heard.push(lastId))
      await s.send()
      const line = {
        type: 'host:started',
        atMs: NOW,
        sessionId: null,
        epoch: null,
        messageId: null,
        detail: { pid: 1 },
      } as const
      await s.store.append([line, line])
      expect(heard).toEqual([2, 4])
      await s.store.getSession('g/main')
      await s.store.requestCancel('none', NOW)
      leave()
      await s.send()
      expect(heard).toEqual([2, 4])
    })

    test('goes on counting over a restart', async () => {
      await s.send()
      const last = await s.store.lastJournalId()
      await s.reopen()
      expect(await s.store.lastJournalId()).toBe(last)
      await s.send()
      expect(await s.store.lastJournalId()).toBe(last + 1)
    })
  })
}
