import { describe, expect, test } from 'vitest'
import type { Run } from '../../../sessiond/src/ports.ts'
import { claimed, completed, failed, keyOf, type MakeStoreHarness, NOW, retried, useStore } from './store-harness.ts'

/** What a run gets to see. */
export function exerciseWindow(makeHarness: MakeStoreHarness): void {
  describe('the window of a run', () => {
    const s = useStore(makeHarness)
    const fill = async (
      run: Run,
      limits: { messages?: number; bytes?: number } = {},
      isFirstLook = false,
      nowMs = NOW,
    ) => {
      const all = { messages: 10, bytes: 10_000, ...limits }
      const window = await s.store.fillWindow(keyOf(run), nowMs, all, isFirstLook)
      if (window === null) throw new Error('the run is live')
      return window
    }
    const idsOf = (messages: readonly { id: string }[]) => messages.map(({ id }) => id)

    test('(I5) hands over what is due, oldest first, then by seq, with the next attempt', async () => {
      const late = await s.send({ processAfterMs: NOW })
      const early = await s.send({ processAfterMs: NOW - 5 })
      const same = await s.send({ processAfterMs: NOW - 5 })
      await s.send({ processAfterMs: NOW + 1 })
      const window = await fill(await s.begin1())
      expect(idsOf(window)).toEqual([early, same, late])
      expect(window).toMatchObject([{ attempt: 1, projectedEpoch: 1, status: 'pending' }, {}, {}])
    })

    test('gives the same again, and counts no attempt twice', async () => {
      await s.send()
      const run = await s.begin1()
      expect(await fill(run)).toEqual(await fill(run))
    })

    test('keeps to the number of messages, claims included', async () => {
      const ids = [await s.send(), await s.send(), await s.send(), await s.send()]
      const run = await s.begin1()
      const [first] = await fill(run, { messages: 2 })
      if (first === undefined) throw new Error('empty window')
      await s.take(run, { settlements: [claimed(first)] })
      expect(idsOf(await fill(run, { messages: 2 }))).toEqual(ids.slice(0, 2))
      await s.take(run, { settlements: [completed(first)] })
      expect(idsOf(await fill(run, { messages: 2 }))).toEqual(ids.slice(1, 3))
      expect(idsOf(await fill(run, { messages: 0 }))).toEqual(ids.slice(1, 3))
    })

    test('keeps to the bytes, passes no older message, and lets one that is too large through alone', async () => {
      const large = await s.send({ content: JSON.stringify({ text: 'x'.repeat(500) }) })
      const small = await s.send()
      const larger = await s.send({ content: JSON.stringify({ text: 'é'.repeat(300) }) })
      const last = await s.send()
      const run = await s.begin1()
      const [alone, ...rest] = await fill(run, { bytes: 100 })
      expect([alone?.id, rest]).toEqual([large, []])
      if (alone === undefined) throw new Error('empty window')
      await s.take(run, { settlements: [completed(alone)] })
      expect(idsOf(await fill(run, { bytes: 600 }))).toEqual([small])
      expect(idsOf(await fill(run, { bytes: 700 }))).toEqual([small, larger, last])
    })

    test('hands context over only with a trigger message, and only what is not later than it', async () => {
      const before = await s.send({ trigger: false, processAfterMs: NOW - 2 })
      const wakes = await s.send({ processAfterMs: NOW - 1 })
      const same = await s.send({ trigger: false, processAfterMs: NOW - 1 })
      const after = await s.send({ trigger: false, processAfterMs: NOW })
      const run = await s.begin1()
      const window = await fill(run)
      expect(idsOf(window)).toEqual([before, wakes, same])
      await s.take(run, { settlements: window.map(completed) })
      expect(await fill(run)).toEqual([])
      const next = await s.send({ processAfterMs: NOW })
      expect(idsOf(await fill(run))).toEqual([after, next])
    })

    test('gets the trigger message in, however much context is older', async () => {
      for (let index = 0; index < 20; index += 1) await s.send({ trigger: false, processAfterMs: NOW - 100 + index })
      const wakes = await s.send()
      const window = await fill(await s.begin1(), { messages: 5 })
      expect(window).toHaveLength(5)
      expect(window.at(-1)?.id).toBe(wakes)
    })

    test('gets the next trigger message in, though left-over context fills the window', async () => {
      for (let index = 0; index < 4; index += 1) await s.send({ trigger: false, processAfterMs: NOW - 100 + index })
      const wakes = await s.send()
      const run = await s.begin1()
      await fill(run, { messages: 5 })
      await s.take(run, { settlements: [completed(await s.message(wakes))] })
      const next = await s.send()
      expect(idsOf(await fill(run, { messages: 4 }))).toContain(next)
      expect((await s.store.readFacts('g/main', NOW))?.projectedUnclaimed).toBe(1)
    })

    test('(B5) hands a message for the wake over on the first look only', async () => {
      const onWake = await s.send({ onWake: true })
      const plain = await s.send()
      const run = await s.begin1()
      expect(idsOf(await fill(run))).toEqual([plain])
      expect(idsOf(await fill(run, {}, true))).toEqual([onWake, plain])
    })

    test('(B5) gives a run that is being stopped nothing new', async () => {
      const first = await s.send()
      const run = await s.startRun()
      await s.send()
      await s.store.recordStopIntent(keyOf(run), 'idle', {}, NOW)
      expect(idsOf(await fill(run))).toEqual([first])
    })

    test('keeps a claimed message in the window while its cancel is asked for', async () => {
      const { id, run } = await s.claimOne()
      await s.store.requestCancel(id, NOW)
      expect(await fill(run)).toMatchObject([{ id, status: 'claimed', cancelRequestedAtMs: NOW }])
    })

    test('gives a retried message a new attempt when it is due again', async () => {
      const { id, run, message } = await s.claimOne()
      await s.take(run, { settlements: [retried(message)] })
      expect(await fill(run)).toEqual([])
      expect(await fill(run, {}, false, NOW + 5_000)).toMatchObject([{ id, attempt: 2, tries: 1, error: 'boom' }])
    })

    /** Sends some messages, has the first run die of all of them, and returns their ids; they are suspects then. */
    const suspects = async (count: number) => {
      const ids: string[] = []
      for (let index = 0; index < count; index += 1) ids.push(await s.send())
      const run = await s.startRun()
      const messages = await s.store.getMessages(ids)
      await s.end1(run, {
        settlements: messages.map((message) => retried(message, { isSuspect: true, processAfterMs: NOW })),
      })
      return ids
    }

    test('hands each suspect over alone, in its order, and then the others together as before', async () => {
      const [first = '', second = ''] = await suspects(2)
      const others = [await s.send(), await s.send()]
      expect(await s.message(first)).toMatchObject({ isSuspect: true, tries: 1 })
      const run = await s.begin1()
      for (const id of [first, second]) {
        expect(idsOf(await fill(run))).toEqual([id])
        const [message] = await fill(run, {}, true)
        if (message === undefined) throw new Error('empty window')
        expect(idsOf(await fill(run))).toEqual([id])
        await s.take(run, { settlements: [claimed(message)] })
        expect(idsOf(await fill(run))).toEqual([id])
        await s.take(run, { settlements: [completed(message)] })
      }
      expect(idsOf(await fill(run))).toEqual(others)
    })

    test('adds nothing beside a suspect when it waits for its next try, and lets the others pass it until then', async () => {
      const [suspect = ''] = await suspects(1)
      const run = await s.begin1()
      const [message] = await fill(run)
      if (message === undefined) throw new Error('empty window')
      await s.take(run, { settlements: [claimed(message)] })
      const other = await s.send()
      expect(idsOf(await fill(run))).toEqual([suspect])
      await s.take(run, { settlements: [retried(message)] })
      expect(idsOf(await fill(run))).toEqual([other])
      const [passed] = await fill(run)
      const next = await s.send({ processAfterMs: NOW + 5_001 })
      expect(idsOf(await fill(run, {}, false, NOW + 6_000))).toEqual([other])
      if (passed === undefined) throw new Error('empty window')
      await s.take(run, { settlements: [completed(passed)] })
      expect(idsOf(await fill(run, {}, false, NOW + 6_000))).toEqual([suspect])
      await s.take(run, { settlements: [completed(await s.message(suspect))] })
      expect(idsOf(await fill(run, {}, false, NOW + 6_000))).toEqual([next])
    })

    test('hands context over with a suspect as with any other', async () => {
      const before = await s.send({ trigger: false, processAfterMs: NOW - 1 })
      const [suspect = ''] = await suspects(1)
      await s.send({ processAfterMs: NOW + 1 })
      await s.send({ trigger: false, processAfterMs: NOW + 1 })
      expect(idsOf(await fill(await s.begin1(), {}, true, NOW + 1))).toEqual([before, suspect])
    })

    test('keeps a suspect one over a restart and a replay, also when a later retry does not say so again', async () => {
      const [suspect = ''] = await suspects(1)
      await s.reopen()
      const run = await s.startRun()
      await s.take(run, { settlements: [retried(await s.message(suspect), { processAfterMs: NOW })] })
      expect(await s.message(suspect)).toMatchObject({ isSuspect: true, tries: 2 })
      await fill(run)
      await s.end1(run, { settlements: [failed(await s.message(suspect))] })
      expect(await s.store.replayDeadMessage(suspect, NOW)).toBe('replayed')
      const other = await s.send()
      const again = await s.begin1()
      expect(idsOf(await fill(again))).toEqual([suspect])
      await s.take(again, { settlements: [completed(await s.message(suspect))] })
      expect(idsOf(await fill(again))).toEqual([other])
    })
  })
}
