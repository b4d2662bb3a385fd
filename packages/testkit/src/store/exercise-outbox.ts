import { describe, expect, test } from 'vitest'
import {
  claimed,
  completed,
  failed,
  keyOf,
  type MakeStoreHarness,
  NOW,
  reply,
  retried,
  useStore,
  WINDOW,
} from './store-harness.ts'

/** What a run wrote, taken into the store. */
export function exerciseOutbox(makeHarness: MakeStoreHarness): void {
  describe('taking an outbox', () => {
    const s = useStore(makeHarness)

    test('claims, then completes, and says whether the message was answered', async () => {
      const { id, run, message } = await s.claimOne()
      expect(message).toMatchObject({ status: 'claimed', claimEpoch: 1, claimedAtMs: NOW, projectedEpoch: 1 })
      const result = await s.take(run, { settlements: [completed(message)], replies: [reply(1, { inReplyTo: id })] })
      expect(result).toEqual({ applied: true, ignored: 0, repliesAdded: 1, accountMoved: false })
      expect(await s.message(id)).toMatchObject({
        status: 'completed',
        answered: true,
        projectedEpoch: null,
        endedAtMs: NOW,
      })
      expect((await s.lines({ type: 'message:completed' }))[0]?.detail).toMatchObject({ answered: true })
    })

    test('takes a completion without a claim seen as both', async () => {
      const id = await s.send()
      const run = await s.startRun()
      await s.take(run, { settlements: [completed(await s.message(id))] })
      expect(await s.message(id)).toMatchObject({ status: 'completed', claimEpoch: 1, claimedAtMs: NOW })
      expect((await s.store.getRun('g/main', 1))?.firstClaimAtMs).toBe(NOW)
    })

    test.each(['claimed', 'completed', 'retried', 'failed'] as const)(
      'leaves a message alone that was %s at another attempt',
      async (to) => {
        const { id, run, message } = await s.claimOne()
        const stale = { id, attempt: message.attempt - 1 }
        const settlement = { claimed, completed, retried, failed }[to](stale)
        expect(await s.take(run, { settlements: [settlement] })).toMatchObject({ applied: true, ignored: 1 })
        expect(await s.message(id)).toEqual(message)
        expect(await s.lines({ type: 'evidence:ignored', messageId: id })).toHaveLength(1)
      },
    )

    test('leaves a message alone that this run was not given', async () => {
      const { run } = await s.claimOne()
      const other = await s.claimOne({ sessionId: 'g/other' })
      const unseen = await s.send()
      const settlements = [
        completed(other.message),
        completed({ id: unseen, attempt: 0 }),
        completed({ id: 'none', attempt: 1 }),
      ]
      expect(await s.take(run, { settlements })).toMatchObject({ ignored: 3 })
      expect((await s.message(other.id)).status).toBe('claimed')
      expect((await s.message(unseen)).status).toBe('pending')
    })

    test('(B4) takes nothing but the journal from a run that is gone', async () => {
      const { id, run, message } = await s.claimOne()
      await s.end1(run)
      const line = {
        type: 'evidence:ignored',
        atMs: NOW,
        sessionId: 'g/main',
        epoch: 1,
        messageId: null,
        detail: {},
      } as const
      const result = await s.take(run, {
        settlements: [completed(message)],
        replies: [reply(1)],
        sessionState: [{ key: 'k', value: 'v' }],
        journal: [line],
      })
      expect(result).toEqual({ applied: false, ignored: 1, repliesAdded: 0, accountMoved: false })
      expect((await s.message(id)).status).toBe('pending')
      expect(await s.store.listReplies({ sessionId: 'g/main', limit: 9 })).toEqual([])
      expect(await s.store.getSessionState('g/main')).toEqual(new Map())
      expect((await s.lines()).at(-1)).toMatchObject(line)
    })

    test('(A5) spends at most one try per attempt', async () => {
      const { id, run, message } = await s.claimOne()
      const twice = await s.take(run, { settlements: [retried(message), retried(message)] })
      expect(twice).toMatchObject({ ignored: 1 })
      expect(await s.message(id)).toMatchObject({ tries: 1, processAfterMs: NOW + 5_000 })
    })

    test('spends no try where it is told so, and keeps the last error over a retry without one', async () => {
      const { id, run, message } = await s.claimOne()
      await s.take(run, { settlements: [retried(message, { processAfterMs: NOW, error: 'x'.repeat(900) })] })
      await s.store.fillWindow(keyOf(run), NOW, WINDOW, false)
      const again = await s.message(id)
      expect(again.error).toHaveLength(500)
      await s.take(run, { settlements: [retried(again, { spendsTry: false, error: null, because: 'rate-limit' })] })
      expect(await s.message(id)).toMatchObject({ tries: 1, error: again.error })
      expect((await s.lines({ type: 'message:retried' })).at(-1)?.detail).toMatchObject({
        because: 'rate-limit',
        tries: 1,
      })
    })

    test('remembers the last acknowledgement that counted, over retries, replays and restarts', async () => {
      const { id, run, message } = await s.claimOne()
      const other = await s.claimOne({ sessionId: 'g/other' })
      await s.take(run, { settlements: [retried(message)], countedAcks: [{ messageId: id, ack: 'first' }] })
      await s.store.fillWindow(keyOf(run), NOW + 5_000, WINDOW, false)
      const again = await s.message(id)
      const countedAcks = [id, other.id].map((messageId) => ({ messageId, ack: 'second' }))
      await s.take(run, { settlements: [failed(again)], countedAcks })
      await s.store.replayDeadMessage(id, NOW)
      await s.reopen()
      expect(await s.store.getCountedAcks([other.id, id, 'none'])).toEqual(new Map([[id, 'second']]))
      await s.end1(run)
      await s.take(run, { countedAcks: [{ messageId: id, ack: 'late' }] })
      expect(await s.store.getCountedAcks([id])).toEqual(new Map([[id, 'second']]))
    })

    test('(B8) dead-letters a failed message and tells the user once, where the message came from', async () => {
      const { id, run, message } = await s.claimOne()
      const settlements = [failed(message), failed(message)]
      expect(await s.take(run, { settlements })).toMatchObject({ ignored: 1 })
      expect(await s.message(id)).toMatchObject({
        status: 'failed',
        failure: 'TRIES_EXHAUSTED',
        tries: 1,
        deadLetter: true,
      })
      const told = await s.store.listReplies({ sessionId: 'g/main', inReplyTo: id, limit: 9 })
      expect(told).toMatchObject([
        { kind: 'system', epoch: null, content: '{"text":"It could not be done."}', address: message.address },
      ])
      expect(await s.store.listDueDeliveries(NOW, 9)).toMatchObject([
        { delivery: { sink: 'hook' }, reply: { id: told[0]?.id } },
      ])
      expect((await s.message(id)).answered).toBe(false)
    })

    test('ends a cancelled message CANCELLED instead of retrying or dead-lettering it, and tells nobody', async () => {
      for (const settlementOf of [retried, failed]) {
        const { id, run, message } = await s.claimOne()
        await s.store.requestCancel(id, NOW)
        await s.take(run, { settlements: [settlementOf(message)] })
        expect(await s.message(id)).toMatchObject({
          status: 'failed',
          failure: 'CANCELLED',
          tries: 0,
          deadLetter: false,
        })
        await s.end1(run)
      }
      expect(await s.store.listReplies({ sessionId: 'g/main', limit: 9 })).toEqual([])
    })

    test('still completes a cancelled message whose run was quicker', async () => {
      const { id, run, message } = await s.claimOne()
      await s.store.requestCancel(id, NOW)
      await s.take(run, { settlements: [completed(message)] })
      expect((await s.message(id)).status).toBe('completed')
    })

    test('ends a message of a closed session instead of retrying it for ever', async () => {
      const { id, run, message } = await s.claimOne()
      await s.store.closeSession('g/main', NOW)
      await s.end1(run, { settlements: [retried(message)] })
      expect(await s.message(id)).toMatchObject({ status: 'failed', failure: 'SESSION_CLOSED', deadLetter: false })
    })

    test('adds a reply once, however often it is taken', async () => {
      const { run } = await s.claimOne()
      const replies = [reply(1), reply(3)]
      expect(await s.take(run, { replies })).toMatchObject({ repliesAdded: 2 })
      expect(await s.take(run, { replies })).toMatchObject({ repliesAdded: 0, accountMoved: false })
      expect(await s.lines({ type: 'reply:written' })).toHaveLength(2)
      expect(await s.lines({ type: 'evidence:ignored' })).toEqual([])
    })

    test('(G7) passes over a reply in the place of another, journals it, and takes the rest', async () => {
      const { run } = await s.claimOne()
      const replies = [reply(1), reply(1, { id: 'usurper', content: '{"text":"Believe me instead."}' }), reply(3)]
      expect(await s.take(run, { replies })).toMatchObject({ applied: true, repliesAdded: 2 })
      expect(await s.lines({ type: 'evidence:ignored' })).toHaveLength(1)
      expect(await s.store.getReplies(['usurper'])).toEqual([])
    })

    test('(G7) loses no reply to another session that chose the same id, and changes nothing of the other', async () => {
      const other = await s.claimOne({ sessionId: 'g/other' })
      await s.take(other.run, { replies: [reply(1, { id: 'reply-1' })] })
      const theirs = await s.store.getReplies(['reply-1'])
      const { id, run } = await s.claimOne()
      await s.take(run, { replies: [reply(1, { id: 'reply-1', inReplyTo: id })] })
      expect(await s.store.getReplies(['reply-1'])).toEqual(theirs)
      const [mine] = await s.store.listReplies({ sessionId: 'g/main', inReplyTo: id, limit: 9 })
      expect(mine).toMatchObject({ seq: 1, content: theirs[0]?.content })
      expect(mine?.id).not.toBe('reply-1')
    })

    test('marks only a message of the same session as answered', async () => {
      const other = await s.claimOne({ sessionId: 'g/other' })
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1, { inReplyTo: other.id })] })
      expect((await s.message(other.id)).answered).toBe(false)
      expect(await s.store.listReplies({ sessionId: 'g/other', inReplyTo: other.id, limit: 9 })).toEqual([])
    })

    test('moves the cursor forward only', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { takenSeq: 7 })
      await s.take(run, { takenSeq: 3 })
      expect((await s.store.getRun('g/main', 1))?.takenSeq).toBe(7)
    })

    test('lists replies in order of arrival, the newest when there are too many', async () => {
      const { id, run } = await s.claimOne()
      await s.take(run, { replies: [reply(1, { inReplyTo: id }), reply(3), reply(5, { inReplyTo: id })] })
      const list = async (query: { inReplyTo?: string; limit: number }) =>
        (await s.store.listReplies({ sessionId: 'g/main', ...query })).map(({ seq }) => seq)
      expect(await list({ limit: 9 })).toEqual([1, 3, 5])
      expect(await list({ limit: 2 })).toEqual([3, 5])
      expect(await list({ inReplyTo: id, limit: 9 })).toEqual([1, 5])
    })

    test('(G7) keeps session state, bounded whatever the run writes', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { sessionState: [{ key: 'k', value: '1' }] })
      await s.take(run, { sessionState: [{ key: 'k', value: '2' }], nowMs: NOW + 1 })
      expect(await s.store.getSessionState('g/main')).toEqual(new Map([['k', '2']]))
      const flood = Array.from({ length: 400 }, (_, index) => ({ key: `key${index}`, value: 'v' }))
      await s.take(run, { sessionState: flood, nowMs: NOW + 2 })
      expect((await s.store.getSessionState('g/main')).size).toBe(256)
    })
  })
}
