import { describe, expect, test } from 'vitest'
import { type MakeStoreHarness, NOW, useStore } from './store-harness.ts'

/** Sending, cancelling and closing. */
export function exerciseSending(makeHarness: MakeStoreHarness): void {
  describe('sending', () => {
    const s = useStore(makeHarness)

    test('makes the session on first use and gives the message back as it was sent', async () => {
      const sent = s.newMessage({ processAfterMs: NOW + 1, trigger: false, onWake: true, sourceSessionId: 'g/other' })
      const [receipt] = await s.store.accept([sent], NOW)
      expect(receipt).toEqual({
        messageId: sent.id,
        sessionId: 'g/main',
        seq: 2,
        processAfterMs: NOW + 1,
        duplicate: false,
      })
      expect(await s.store.getSession('g/main')).toMatchObject({ group: 'g', name: 'main', status: 'open', epoch: 0 })
      expect(await s.message(sent.id)).toMatchObject({
        ...sent,
        status: 'pending',
        tries: 0,
        attempt: 0,
        createdAtMs: NOW,
      })
    })

    test('gives the first receipt again for the same id and content, and adds nothing', async () => {
      const sent = s.newMessage()
      const [first] = await s.store.accept([sent], NOW)
      const [again] = await s.store.accept([{ ...sent, processAfterMs: NOW + 99 }], NOW + 99)
      expect(again).toEqual({ ...first, duplicate: true })
      expect(await s.lines({ type: 'message:accepted' })).toHaveLength(1)
    })

    test('knows the second of two equal messages in one call', async () => {
      const sent = s.newMessage()
      const outcomes = await s.store.accept([sent, sent], NOW)
      expect(outcomes.map((outcome) => 'duplicate' in outcome && outcome.duplicate)).toEqual([false, true])
    })

    test.each([
      ['content', { content: '{"text":"other"}' }],
      ['kind', { kind: 'task' as const }],
      ['trigger', { trigger: false }],
      ['session', { sessionId: 'g/other' }],
    ])('refuses the id of a message with another %s', async (_what, changes) => {
      const sent = s.newMessage()
      await s.store.accept([sent], NOW)
      const [outcome] = await s.store.accept([{ ...sent, ...changes }], NOW)
      expect(outcome).toMatchObject({ code: 'MESSAGE_ID_CONFLICT' })
    })

    test('refuses a session name that differs from an existing one only in case', async () => {
      await s.send({ sessionId: 'g/Main' })
      const [outcome] = await s.store.accept([s.newMessage({ sessionId: 'g/main' })], NOW)
      expect(outcome).toMatchObject({ code: 'SESSION_NAME_CLASH' })
      expect(await s.store.getSession('g/main')).toBeNull()
    })

    test('lets a refused message harm no other of its call or of its commit', async () => {
      await s.send({ sessionId: 'g/closed' })
      await s.store.closeSession('g/closed', NOW)
      const broken = { ...s.newMessage(), processAfterMs: 1.5 }
      const calls = [
        s.store.accept([s.newMessage(), s.newMessage({ sessionId: 'g/closed' }), broken, s.newMessage()], NOW),
        s.store.accept([s.newMessage()], NOW),
      ]
      const [first = [], second = []] = await Promise.all(calls)
      expect(first.map((outcome) => outcome instanceof Error)).toEqual([false, true, true, false])
      expect(first[1]).toMatchObject({ code: 'SESSION_CLOSED' })
      expect(second[0]).toMatchObject({ duplicate: false })
      expect(await s.store.getMessage(broken.id)).toBeNull()
      expect(await s.lines({ messageId: broken.id })).toEqual([])
    })

    test('(B6) gives every message of a session its own even seq, in the order of sending, also side by side', async () => {
      const ids = Array.from({ length: 50 }, () => s.newMessage())
      const outcomes = await Promise.all(ids.map((message) => s.store.accept([message], NOW)))
      const seqs = outcomes.map(([receipt]) => (receipt !== undefined && 'seq' in receipt ? receipt.seq : Number.NaN))
      expect(seqs).toEqual(ids.map((_, index) => (index + 1) * 2))
    })

    test('keeps everything over a restart', async () => {
      const id = await s.send()
      const { installId } = s.store
      await s.reopen()
      expect(await s.message(id)).toMatchObject({ status: 'pending', seq: 2 })
      expect(s.store.installId).toBe(installId)
      expect(await s.message(await s.send())).toMatchObject({ seq: 4 })
    })

    test('refuses further work once closed, and closes twice without complaint', async () => {
      const last = s.store.accept([s.newMessage()], NOW)
      await s.store.close()
      await s.store.close()
      expect((await last)[0]).toMatchObject({ duplicate: false })
      await expect(s.store.accept([s.newMessage()], NOW)).rejects.toMatchObject({ code: 'HOST_STOPPING' })
      await expect(s.store.getSession('g/main')).rejects.toMatchObject({ code: 'HOST_STOPPING' })
    })
  })

  describe('cancelling and closing', () => {
    const s = useStore(makeHarness)

    test('ends a pending message at once, without a dead letter or a word to anyone', async () => {
      const id = await s.send()
      expect(await s.store.requestCancel(id, NOW + 1)).toBe('cancelled')
      expect(await s.message(id)).toMatchObject({
        status: 'failed',
        failure: 'CANCELLED',
        deadLetter: false,
        endedAtMs: NOW + 1,
      })
      expect(await s.store.requestCancel(id, NOW + 2)).toBe('not-open')
      expect(await s.store.listReplies({ sessionId: 'g/main', limit: 10 })).toEqual([])
      expect(await s.store.requestCancel('nobody', NOW)).toBe('not-found')
    })

    test('marks a claimed message once and leaves it to its run', async () => {
      const { id } = await s.claimOne()
      expect(await s.store.requestCancel(id, NOW + 1)).toBe('requested')
      expect(await s.store.requestCancel(id, NOW + 2)).toBe('requested')
      expect(await s.message(id)).toMatchObject({ status: 'claimed', cancelRequestedAtMs: NOW + 1 })
      expect(await s.lines({ type: 'message:cancelRequested' })).toHaveLength(1)
    })

    test('marks everything claimed in a session and nothing else', async () => {
      const { id } = await s.claimOne()
      const pending = await s.send()
      const other = await s.claimOne({ sessionId: 'g/other' })
      expect(await s.store.requestCancelOfClaimed('g/main', NOW)).toBe(1)
      expect((await s.message(id)).cancelRequestedAtMs).toBe(NOW)
      expect((await s.message(pending)).cancelRequestedAtMs).toBeNull()
      expect((await s.message(other.id)).cancelRequestedAtMs).toBeNull()
    })

    test('closes a session: what waits ends, what is claimed stays with its run, nothing is accepted any more', async () => {
      const { id } = await s.claimOne()
      const waiting = [await s.send(), await s.send({ trigger: false }), await s.send({ processAfterMs: NOW + 1e9 })]
      expect(await s.store.closeSession('g/main', NOW)).toBe('closed')
      expect(await s.store.closeSession('g/main', NOW)).toBe('already-closed')
      expect(await s.store.closeSession('g/none', NOW)).toBe('not-found')
      for (const messageId of waiting) {
        expect(await s.message(messageId)).toMatchObject({
          status: 'failed',
          failure: 'SESSION_CLOSED',
          deadLetter: false,
        })
      }
      expect((await s.message(id)).status).toBe('claimed')
      expect(await s.store.listWaiting(NOW, 10)).toEqual([])
    })

    test('closes a session in which thousands wait at once, and ends them step by step, each once, over a restart', async () => {
      const { run } = await s.claimOne()
      const waiting = Array.from({ length: 2_000 }, (_, index) => s.newMessage({ trigger: index % 2 === 0 }))
      await s.store.accept(waiting, NOW)
      const other = await s.send({ sessionId: 'g/other' })
      expect(await s.store.closeSession('g/main', NOW)).toBe('closed')
      expect((await s.store.getSessionSummary('g/main', NOW))?.pending).toBeGreaterThan(500)
      expect((await s.store.accept([s.newMessage()], NOW))[0]).toMatchObject({ code: 'SESSION_CLOSED' })
      expect(await s.store.fillWindow(run, NOW, { messages: 99, bytes: 1e6 }, false)).toHaveLength(1)
      expect((await s.store.listWaiting(NOW, 10)).map(({ sessionId }) => sessionId)).toEqual(['g/other'])
      await s.reopen()
      let steps = 0
      for (let isMoreLeft = true; isMoreLeft; steps += 1) isMoreLeft = await s.store.endClosed(NOW + 1)
      expect(steps).toBeGreaterThan(1)
      expect(await s.store.endClosed(NOW + 1)).toBe(false)
      const ended = (await s.lines({ type: 'message:failed' })).map(({ messageId }) => messageId)
      expect(ended.sort()).toEqual(waiting.map(({ id }) => id).sort())
      expect(await s.store.getSessionSummary('g/main', NOW)).toMatchObject({ pending: 0, claimed: 1 })
      expect((await s.message(other)).status).toBe('pending')
    })

    test('still gives the first receipt for a message accepted before the session was closed', async () => {
      const sent = s.newMessage()
      await s.store.accept([sent], NOW)
      await s.store.closeSession('g/main', NOW)
      expect((await s.store.accept([sent], NOW))[0]).toMatchObject({ duplicate: true })
    })
  })
}
