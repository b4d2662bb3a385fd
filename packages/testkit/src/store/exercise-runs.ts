import { describe, expect, test } from 'vitest'
import type { Run } from '../../../sessiond/src/ports.ts'
import { claimed, completed, keyOf, type MakeStoreHarness, NOW, retried, useStore } from './store-harness.ts'

/** Waiting sessions and the life of runs. */
export function exerciseRuns(makeHarness: MakeStoreHarness): void {
  describe('what waits', () => {
    const s = useStore(makeHarness)

    test('lists sessions with due work, oldest due first, and none that is not due, closed, backing off or running', async () => {
      await s.send({ sessionId: 'g/second', processAfterMs: NOW - 1 })
      await s.send({ sessionId: 'g/first', processAfterMs: NOW - 2 })
      await s.send({ sessionId: 'g/first', processAfterMs: NOW })
      await s.send({ sessionId: 'g/future', processAfterMs: NOW + 1 })
      await s.send({ sessionId: 'g/context', trigger: false })
      await s.send({ sessionId: 'g/running' })
      await s.startRun('g/running')
      await s.send({ sessionId: 'g/backing-off' })
      const failing = await s.startRun('g/backing-off')
      await s.end1(failing, { spawnFailure: { error: 'no', notBeforeMs: NOW + 10, tell: null } })
      await s.send({ sessionId: 'g/closed' })
      await s.store.closeSession('g/closed', NOW)
      expect(await s.store.listWaiting(NOW, 10)).toEqual([
        { sessionId: 'g/first', group: 'g', oldestDueAtMs: NOW - 2 },
        { sessionId: 'g/second', group: 'g', oldestDueAtMs: NOW - 1 },
      ])
      expect((await s.store.listWaiting(NOW + 10, 10)).map((waiting) => waiting.sessionId)).toContain('g/backing-off')
    })

    test('(B13) counts per group only what may run', async () => {
      for (let index = 0; index < 5; index += 1) {
        await s.send({ sessionId: `a/running${index}`, processAfterMs: NOW - 100 })
        await s.startRun(`a/running${index}`)
      }
      await s.send({ sessionId: 'a/waits' })
      await s.send({ sessionId: 'a/waits-too', processAfterMs: NOW - 1 })
      await s.send({ sessionId: 'b/waits', processAfterMs: NOW - 50 })
      const waiting = await s.store.listWaiting(NOW, 1)
      expect(waiting.map(({ sessionId }) => sessionId)).toEqual(['b/waits', 'a/waits-too'])
    })

    test('says when there is more to say: the next due time after now, or the end of a back-off', async () => {
      expect(await s.store.nextDueAtMs(NOW)).toBeNull()
      await s.send({ processAfterMs: NOW })
      expect(await s.store.nextDueAtMs(NOW)).toBeNull()
      expect(await s.store.nextDueAtMs(NOW - 1)).toBe(NOW)
      await s.send({ sessionId: 'g/later', processAfterMs: NOW + 50 })
      expect(await s.store.nextDueAtMs(NOW)).toBe(NOW + 50)
      const run = await s.startRun()
      await s.end1(run, { spawnFailure: { error: 'no', notBeforeMs: NOW + 20, tell: null } })
      expect(await s.store.nextDueAtMs(NOW)).toBe(NOW + 20)
      expect(await s.store.nextDueAtMs(NOW + 20)).toBe(NOW + 50)
    })

    test('finds the oldest due and unclaimed message of all sessions', async () => {
      expect(await s.store.oldestDueAtMs(NOW)).toBeNull()
      await s.claimOne({ sessionId: 'g/busy', processAfterMs: NOW - 9 })
      await s.send({ processAfterMs: NOW - 5 })
      await s.send({ processAfterMs: NOW - 7, trigger: false })
      expect(await s.store.oldestDueAtMs(NOW)).toBe(NOW - 5)
    })
  })

  describe('the life of a run', () => {
    const s = useStore(makeHarness)
    const begin = (sessionId: string, maxLiveRuns = 10) =>
      s.store.beginRun({
        sessionId,
        runtime: 'process',
        nameOf: (epoch) => `${sessionId}#${epoch}`,
        maxLiveRuns,
        probeForMs: 60_000,
        nowMs: NOW,
      })

    test('begins only what may begin, saying why not', async () => {
      expect(await begin('g/none')).toEqual({ begun: false, because: 'no-session' })
      await s.send({ sessionId: 'g/later', processAfterMs: NOW + 1 })
      expect(await begin('g/later')).toEqual({ begun: false, because: 'not-due' })
      await s.send({ sessionId: 'g/context', trigger: false })
      expect(await begin('g/context')).toEqual({ begun: false, because: 'not-due' })
      await s.send()
      expect(await begin('g/main')).toMatchObject({
        begun: true,
        run: { epoch: 1, name: 'g/main#1', state: 'starting' },
      })
      expect(await begin('g/main')).toEqual({ begun: false, because: 'live-run' })
      await s.send({ sessionId: 'g/other' })
      expect(await begin('g/other', 1)).toEqual({ begun: false, because: 'cap' })
      await s.store.closeSession('g/other', NOW)
      expect(await begin('g/other')).toEqual({ begun: false, because: 'closed' })
    })

    test('(D6) lets one of many begin at once', async () => {
      await s.send()
      const results = await Promise.all([begin('g/main'), begin('g/main'), begin('g/main')])
      expect(results.filter(({ begun }) => begun)).toHaveLength(1)
      expect(await s.store.listLiveRuns()).toHaveLength(1)
    })

    test('(D16) keeps the cap when many begin at once', async () => {
      const ids = Array.from({ length: 8 }, (_, index) => `g/s${index}`)
      for (const sessionId of ids) await s.send({ sessionId })
      const results = await Promise.all(ids.map((sessionId) => begin(sessionId, 3)))
      expect(results.filter(({ begun }) => begun)).toHaveLength(3)
    })

    test('begins nothing before the back-off is over', async () => {
      await s.send()
      await s.end1(await s.begin1(), { spawnFailure: { error: 'no', notBeforeMs: NOW + 1, tell: null } })
      expect(await begin('g/main')).toEqual({ begun: false, because: 'back-off' })
      expect((await s.begin1('g/main', NOW + 1)).epoch).toBe(2)
    })

    test('records handle, start, stop and kill of the live run, each once', async () => {
      await s.send()
      const run = await s.begin1()
      const key = keyOf(run)
      const handle = { runtime: 'process', id: 'h1' }
      expect(await s.store.recordRunHandle(key, handle)).toBe(true)
      expect(await s.store.recordRunHandle(key, { ...handle, id: 'h2' })).toBe(false)
      expect(await s.store.recordRunStarted(key, NOW + 1)).toBe(true)
      expect(await s.store.recordStopIntent(key, 'idle', { idleForMs: 7 }, NOW + 2)).toBe(true)
      expect(await s.store.recordStopIntent(key, 'ceiling', {}, NOW + 3)).toBe(false)
      expect(await s.store.recordKillSent(key, NOW + 4)).toBe(true)
      expect(await s.store.recordUnkillable(key, NOW + 5)).toBe(true)
      expect(await s.store.getRun('g/main', 1)).toMatchObject({
        state: 'unkillable',
        handle,
        startedAtMs: NOW + 1,
        end: 'idle',
        endEvidence: { idleForMs: 7 },
        stopIntendedAtMs: NOW + 2,
        killSentAtMs: NOW + 4,
      })
      const types = (await s.lines({ sessionId: 'g/main' })).map(({ type }) => type)
      expect(types.slice(2)).toEqual([
        'run:intended',
        'run:started',
        'run:stopRequested',
        'run:killSent',
        'run:unkillable',
      ])
    })

    test('keeps a stop that was asked for while the run was starting', async () => {
      await s.send()
      const run = await s.begin1()
      await s.store.recordStopIntent(keyOf(run), 'operator-stop', {}, NOW)
      expect(await s.store.recordRunStarted(keyOf(run), NOW)).toBe(true)
      expect((await s.store.getRun('g/main', 1))?.state).toBe('stopping')
    })

    test('writes nothing for a run that is gone, or for another of its session', async () => {
      await s.send()
      const first = await s.startRun()
      await s.end1(first)
      const second = await s.begin1()
      for (const key of [keyOf(first), { ...keyOf(second), name: 'forged' }, { ...keyOf(second), epoch: 1 }]) {
        const before = await s.store.lastJournalId()
        expect(await s.store.recordRunHandle(key, { runtime: 'process', id: 'x' })).toBe(false)
        expect(await s.store.recordRunStarted(key, NOW)).toBe(false)
        expect(await s.store.recordStopIntent(key, 'idle', {}, NOW)).toBe(false)
        expect(await s.store.recordKillSent(key, NOW)).toBe(false)
        expect(await s.store.recordUnkillable(key, NOW)).toBe(false)
        expect(await s.store.fillWindow(key, NOW, { messages: 9, bytes: 9_999 }, true)).toBeNull()
        expect((await s.end1({ ...second, ...key })).applied).toBe(false)
        expect(await s.store.lastJournalId()).toBe(before)
      }
      expect(await s.store.getRun('g/main', 2)).toEqual(second)
    })

    test('ends a run: the first cause stands, its claims and its window are free, another may begin', async () => {
      const { id, run, message } = await s.claimOne()
      const handedOver = await s.send()
      await s.store.fillWindow(keyOf(run), NOW, { messages: 9, bytes: 9_999 }, false)
      await s.store.recordStopIntent(keyOf(run), 'ceiling', { ageMs: 1 }, NOW)
      const exit = { code: null, signal: 'SIGKILL', oomKilled: true }
      const ended = await s.end1(run, { end: 'exited', exit, settlements: [retried(message)], nowMs: NOW + 9 })
      expect(ended).toEqual({ applied: true, ignored: 0 })
      expect(await s.store.getRun('g/main', 1)).toMatchObject({
        state: 'gone',
        end: 'ceiling',
        exit,
        endedAtMs: NOW + 9,
      })
      expect(await s.message(id)).toMatchObject({ status: 'pending', tries: 1, projectedEpoch: null, claimEpoch: null })
      expect(await s.message(handedOver)).toMatchObject({ status: 'pending', tries: 0, projectedEpoch: null })
      expect(await s.store.listLiveRuns()).toEqual([])
      expect((await s.begin1()).epoch).toBe(2)
    })

    test('gives back a claim the decision did not know of, without a try', async () => {
      const { id, run } = await s.claimOne()
      await s.end1(run)
      expect(await s.message(id)).toMatchObject({ status: 'pending', tries: 0, claimEpoch: null })
    })

    test('(D9) counts failures before a first claim apart, tells once, and starts anew with a claim', async () => {
      const id = await s.send()
      const fail = async (tell: string | null) => {
        const run = await s.begin1()
        await s.end1(run, { spawnFailure: { error: 'image missing', notBeforeMs: NOW, tell } })
      }
      await fail(null)
      await fail('It does not come up.')
      expect(await s.store.getSession('g/main')).toMatchObject({ spawnFailures: 2, lastSpawnError: 'image missing' })
      expect(await s.message(id)).toMatchObject({ tries: 0, status: 'pending' })
      const told = await s.store.listReplies({ sessionId: 'g/main', limit: 10 })
      expect(told).toMatchObject([
        {
          kind: 'system',
          epoch: null,
          seq: null,
          inReplyTo: id,
          content: '{"text":"It does not come up."}',
          address: { platformId: 'p' },
        },
      ])
      expect(await s.store.listDueDeliveries(NOW, 10)).toHaveLength(1)
      const run = await s.startRun()
      await s.take(run, { settlements: [claimed(await s.message(id))] })
      expect(await s.store.getSession('g/main')).toMatchObject({ spawnFailures: 0, spawnNotBeforeMs: 0 })
      expect(await s.lines({ type: 'run:spawnRecovered' })).toHaveLength(1)
      expect((await s.store.getRun('g/main', run.epoch))?.firstClaimAtMs).toBe(NOW)
    })

    test('says nothing of a recovery that nobody was told a failure of', async () => {
      await s.claimOne()
      expect(await s.lines({ type: 'run:spawnRecovered' })).toEqual([])
    })

    test('lists runs newest first, and live ones over a restart', async () => {
      await s.send()
      await s.end1(await s.startRun())
      const live = await s.startRun()
      await s.reopen()
      expect((await s.store.listRuns('g/main', 10)).map(({ epoch }: Run) => epoch)).toEqual([2, 1])
      expect((await s.store.listRuns('g/main', 1)).map(({ epoch }: Run) => epoch)).toEqual([2])
      expect((await s.store.listLiveRuns()).map(({ name }: Run) => name)).toEqual([live.name])
    })

    test('reads the facts of a session in one go', async () => {
      expect(await s.store.readFacts('g/main', NOW)).toBeNull()
      const { run, message } = await s.claimOne({ processAfterMs: NOW - 3 })
      await s.send({ processAfterMs: NOW - 2 })
      await s.store.fillWindow(keyOf(run), NOW, { messages: 2, bytes: 9_999 }, false)
      await s.send({ processAfterMs: NOW - 1 })
      await s.send({ processAfterMs: NOW - 1, trigger: false })
      await s.send({ processAfterMs: NOW - 1, onWake: true })
      await s.send({ processAfterMs: NOW + 5 })
      expect(await s.store.readFacts('g/main', NOW)).toMatchObject({
        session: { id: 'g/main', epoch: 1 },
        run: { epoch: 1, state: 'running' },
        claimed: [{ id: message.id }],
        dueUnprojected: 1,
        projectedUnclaimed: 1,
        oldestDueAtMs: NOW - 2,
        nextDueAtMs: NOW + 5,
      })
      await s.end1(run, { settlements: [completed(message)] })
      expect(await s.store.readFacts('g/main', NOW)).toMatchObject({
        run: null,
        dueUnprojected: 3,
        projectedUnclaimed: 0,
      })
    })
  })
}
