import { describe, expect, test } from 'vitest'
import type { Run, Settlement } from '../../../sessiond/src/ports.ts'
import { PROVIDER } from '../provider-policy.ts'
import { claimed, completed, keyOf, type MakeStoreHarness, NOW, retried, useStore, WINDOW } from './store-harness.ts'

const RESET = NOW + 5 * 3_600_000

/** Accounts whose provider is in trouble. */
export function exerciseAccounts(makeHarness: MakeStoreHarness): void {
  describe('an account whose provider is in trouble', () => {
    const s = useStore(makeHarness)

    const limited = (held: { id: string; attempt: number }, resetAtMs: number | null = RESET): Settlement =>
      retried(held, {
        spendsTry: false,
        because: 'rate-limit',
        trouble: { kind: 'rate-limit', resetAtMs, isAlone: false },
      })
    const begin = async (sessionId: string, nowMs: number = NOW) => {
      const nameOf = (epoch: number) => `${sessionId.replace('/', '-')}-${epoch}`
      const result = await s.store.beginRun({
        sessionId,
        runtime: 'process',
        nameOf,
        maxLiveRuns: 100,
        probeForMs: 60_000,
        nowMs,
      })
      return result.begun ? result.run : result.because
    }
    /** Begins a session's next run, hands it all it may have and has it claim that. */
    const work = async (sessionId: string, nowMs: number) => {
      const run = await s.startRun(sessionId, nowMs)
      const window = (await s.store.fillWindow(keyOf(run), nowMs, WINDOW, false)) ?? []
      await s.take(run, { settlements: window.map(claimed), nowMs })
      return { run, window }
    }
    const finish = async (run: Run, nowMs: number) => {
      const window = (await s.store.fillWindow(keyOf(run), nowMs, WINDOW, false)) ?? []
      return s.take(run, { settlements: window.map(completed), nowMs })
    }
    const account = async () => (await s.store.listAccounts())[0]

    /** One session reports a limit; `count` others of its account, and one of another, wait. */
    const park = async (count: number, resetAtMs: number | null = RESET) => {
      const reporter = await s.claimOne({ sessionId: 'g/reporter' })
      for (let index = 0; index < count; index += 1) {
        await s.send({ sessionId: `g/s${index}`, processAfterMs: NOW - count + index })
      }
      const taken = await s.take(reporter.run, { settlements: [limited(reporter.message, resetAtMs)] })
      return { ...reporter, taken }
    }

    test('(B16) is parked with the settlement that reported it: no try is spent, and the message is due at the reset', async () => {
      const { id, taken } = await park(0)
      expect(taken).toMatchObject({ applied: true, ignored: 0, accountMoved: true })
      expect(await s.message(id)).toMatchObject({ status: 'pending', tries: 0, processAfterMs: RESET })
      expect(await account()).toMatchObject({
        name: 'g',
        state: 'parked',
        reason: 'rate-limit',
        parkedAtMs: NOW,
        parkedUntilMs: RESET,
        troubles: 1,
      })
      expect(await s.lines({ type: 'account:parked' })).toMatchObject([
        { detail: { account: 'g', sessionId: 'g/reporter', reason: 'rate-limit', parkedUntilMs: RESET, troubles: 1 } },
      ])
      expect((await s.lines({ type: 'message:retried' }))[0]?.detail).toMatchObject({ processAfterMs: RESET, tries: 0 })
    })

    test('starts no session of it before the reset, then one, and others of other accounts all the time', async () => {
      await park(2)
      await s.send({ sessionId: 'h/other' })
      expect(await begin('g/s0')).toBe('account-parked')
      expect(await begin('g/s0', RESET - 1)).toBe('account-parked')
      expect(await begin('h/other')).toMatchObject({ epoch: 1 })
      expect(await begin('g/s0', RESET)).toMatchObject({ epoch: 1 })
      expect(await begin('g/s1', RESET)).toBe('account-parked')
      expect(await account()).toMatchObject({ state: 'probing', probeSessionId: 'g/s0', isProbeWorking: true })
      expect(await s.lines({ type: 'account:probed' })).toMatchObject([
        { detail: { account: 'g', sessionId: 'g/s0', parkedUntilMs: RESET } },
      ])
    })

    test('lets one of many probe that begin at once', async () => {
      await park(8)
      const begun = await Promise.all(Array.from({ length: 8 }, (_, index) => begin(`g/s${index}`, RESET)))
      expect(begun.filter((result) => result !== 'account-parked')).toHaveLength(1)
    })

    test('lets ever more work once the probe is answered: 1, 2, 4, and then all', async () => {
      await park(9)
      const probe = await work('g/s0', RESET)
      expect(await finish(probe.run, RESET)).toMatchObject({ accountMoved: true })
      const counts: number[] = []
      let next = 1
      const working = new Map<string, Run>()
      for (let round = 0; round < 3; round += 1) {
        for (let begun = await begin(`g/s${next}`, RESET); typeof begun !== 'string'; ) {
          await s.store.fillWindow(keyOf(begun), RESET, WINDOW, true)
          await s.store.recordRunStarted(keyOf(begun), RESET)
          working.set(begun.sessionId, begun)
          next += 1
          begun = await begin(`g/s${next}`, RESET)
        }
        counts.push(working.size)
        const [first] = working.values()
        if (first === undefined) throw new Error('nobody works')
        await finish(first, RESET)
        working.delete(first.sessionId)
      }
      expect(counts).toEqual([1, 2, 4])
      expect(await s.store.listAccounts()).toEqual([])
      expect((await s.lines({ type: 'account:opened' })).map(({ detail }) => detail.account)).toEqual(['g'])
      expect(await begin(`g/s${next}`, RESET)).toMatchObject({ epoch: 1 })
      expect(await begin('g/s8', RESET)).toMatchObject({ epoch: 1 })
    })

    test('is parked again, longer, when the probe finds it in trouble still', async () => {
      await park(2)
      const { run, window } = await work('g/s0', RESET)
      const [message] = window
      if (message === undefined) throw new Error('empty window')
      await s.take(run, { settlements: [limited(message, null)], nowMs: RESET })
      expect(await account()).toMatchObject({ state: 'parked', parkedUntilMs: RESET + 120_000, troubles: 2 })
      expect(await s.message(message.id)).toMatchObject({ tries: 0, processAfterMs: RESET + 120_000 })
      expect(await begin('g/s1', RESET + 119_999)).toBe('account-parked')
      expect(await begin('g/s1', RESET + 120_000)).toMatchObject({ epoch: 1 })
    })

    test('is probed by another when the probe ends without an answer, or works no more', async () => {
      await park(3)
      const probe = await work('g/s0', RESET)
      await s.end1(probe.run, { settlements: probe.window.map((message) => retried(message)), nowMs: RESET })
      const second = await work('g/s1', RESET)
      expect(await account()).toMatchObject({ state: 'probing', probeSessionId: 'g/s1' })
      await s.take(second.run, { settlements: second.window.map((message) => retried(message)), nowMs: RESET })
      expect(await begin('g/s2', RESET)).toMatchObject({ epoch: 1 })
      expect((await s.lines({ type: 'account:probed' })).map(({ detail }) => detail.sessionId)).toEqual([
        'g/s0',
        'g/s1',
        'g/s2',
      ])
    })

    test('keeps from a run that is there already what it has not claimed, and all that comes', async () => {
      const warm = await s.claimOne({ sessionId: 'g/warm' })
      const handedOver = await s.send({ sessionId: 'g/warm' })
      await s.store.fillWindow(keyOf(warm.run), NOW, WINDOW, false)
      await park(0)
      const held = [
        { id: warm.id, isHeldBack: false },
        { id: handedOver, isHeldBack: true },
      ]
      expect(await s.store.fillWindow(keyOf(warm.run), NOW, WINDOW, false)).toMatchObject(held)
      await s.send({ sessionId: 'g/warm' })
      await s.take(warm.run, { settlements: [completed(warm.message)] })
      for (const nowMs of [NOW, RESET]) {
        expect(await s.store.fillWindow(keyOf(warm.run), nowMs, WINDOW, false)).toMatchObject(held.slice(1))
      }
      expect(await s.store.readFacts('g/warm', NOW)).toMatchObject({
        barred: { account: 'g', state: 'parked', parkedUntilMs: RESET, due: 2 },
        dueUnprojected: 0,
        projectedUnclaimed: 0,
      })
      // It was claiming it just then.
      const late = await s.take(warm.run, { settlements: [completed(await s.message(handedOver))] })
      expect(late).toMatchObject({ applied: true, ignored: 0 })
      expect(await s.message(handedOver)).toMatchObject({ status: 'completed', attempt: 1 })
    })

    test('holds nobody back who has nothing due, and none without a run once there is room', async () => {
      await park(1)
      expect((await s.store.readFacts('g/reporter', NOW))?.barred).toBeNull()
      expect(await s.store.readFacts('g/s0', NOW)).toMatchObject({ barred: { state: 'parked' }, dueUnprojected: 0 })
      expect(await s.store.readFacts('g/s0', RESET)).toMatchObject({ barred: null, dueUnprojected: 1 })
      expect(await s.store.readFacts('g/reporter', RESET)).toMatchObject({ barred: { state: 'parked', due: 1 } })
    })

    test('is told of once, however many sessions run into it, and the latest end wins', async () => {
      const held = [await s.claimOne({ sessionId: 'g/a' }), await s.claimOne({ sessionId: 'g/b' })]
      await park(0)
      for (const [index, { run, message }] of held.entries()) {
        await s.take(run, { settlements: [limited(message, RESET + index)] })
      }
      expect(await account()).toMatchObject({ parkedUntilMs: RESET + 1, troubles: 1 })
      expect(await s.lines({ type: 'account:parked' })).toHaveLength(1)
    })

    test('counts nothing a run says of messages it does not hold', async () => {
      const { run, message } = await s.claimOne({ sessionId: 'g/liar' })
      await s.take(run, { settlements: [limited({ id: message.id, attempt: 7 }), limited({ id: 'none', attempt: 1 })] })
      expect(await s.store.listAccounts()).toEqual([])
    })

    test('is believed also of a message that was cancelled meanwhile', async () => {
      const { id, run, message } = await s.claimOne()
      await s.store.requestCancel(id, NOW)
      await s.take(run, { settlements: [limited(message)] })
      expect(await s.message(id)).toMatchObject({ status: 'failed', failure: 'CANCELLED', tries: 0 })
      expect(await account()).toMatchObject({ state: 'parked' })
    })

    test('is what the groups are said to use, each the one of its name when nothing is said', async () => {
      await s.store.assignAccounts(
        new Map([
          ['g', 'team'],
          ['h', 'team'],
        ]),
      )
      await s.send({ sessionId: 'h/waits' })
      await s.send({ sessionId: 'i/waits' })
      await park(0)
      expect(await account()).toMatchObject({ name: 'team' })
      expect(await begin('h/waits')).toBe('account-parked')
      expect(await begin('i/waits')).toMatchObject({ epoch: 1 })
      await s.store.assignAccounts(new Map([['g', 'team']]))
      expect(await begin('h/waits')).toMatchObject({ epoch: 1 })
    })

    test('(H2) goes on without a message that meets trouble alone: others were answered since', async () => {
      const alone = await park(1)
      const probe = await work('g/s0', RESET)
      await finish(probe.run, RESET)
      expect(await s.store.getAccount('g')).toMatchObject({ state: 'ramping', answers: 1, isTroubled: false })
      const troubles = { sinceMs: NOW, answers: 1, alone: 1 }
      const trouble = { kind: 'rate-limit', resetAtMs: null, isAlone: true } as const
      await s.store.fillWindow(keyOf(alone.run), RESET, WINDOW, false)
      const held = await s.message(alone.id)
      const own = retried(held, { spendsTry: false, because: 'rate-limit', trouble, troubles })
      expect(await s.take(alone.run, { settlements: [own], nowMs: RESET })).toMatchObject({ applied: true, ignored: 0 })
      expect(await s.message(alone.id)).toMatchObject({ tries: 0, troubles, processAfterMs: RESET + 60_000 })
      expect(await account()).toMatchObject({ state: 'ramping', isTroubled: true })
      expect(await s.lines({ type: 'account:parked' })).toHaveLength(1)
    })

    test('lets more work by time alone, where a probe has worked without trouble for long; also after a restart', async () => {
      await park(3)
      const probe = await s.startRun('g/s0', RESET)
      const stepped = (nowMs: number) => s.store.stepAccounts(nowMs, PROVIDER)
      expect(await stepped(RESET + 59_999)).toBe(false)
      expect(await stepped(RESET + 60_000)).toBe(false)
      expect(await account()).toMatchObject({ state: 'probing', stepAtMs: RESET + 120_000 })
      const window = (await s.store.fillWindow(keyOf(probe), RESET, WINDOW, false)) ?? []
      await s.take(probe, { settlements: window.map(claimed), nowMs: RESET })
      await s.reopen()
      expect(await stepped(RESET + 119_999)).toBe(false)
      expect(await begin('g/s1', RESET + 119_999)).toBe('account-parked')
      expect(await stepped(RESET + 120_000)).toBe(true)
      expect(await account()).toMatchObject({ state: 'ramping', allowed: 1 })
      expect(await stepped(RESET + 180_000)).toBe(true)
      expect(await begin('g/s1', RESET + 180_000)).toMatchObject({ epoch: 1 })
      expect((await s.lines({ type: 'account:ramped' })).map(({ detail }) => detail.sessionId)).toEqual([null, null])
    })

    test('(D21) knows of a stall from its stop on, and forgets it when somebody is answered', async () => {
      const [a, b] = [await s.claimOne({ sessionId: 'g/a' }), await s.claimOne({ sessionId: 'g/b' })]
      await s.store.recordStopIntent(keyOf(a.run), 'silent', {}, NOW)
      await s.store.recordStopIntent(keyOf(b.run), 'tool-overdue', {}, NOW)
      await s.reopen()
      expect((await s.store.getAccount('g')).stalls).toEqual([{ sessionId: 'g/a', atMs: NOW }])
      const c = await s.claimOne({ sessionId: 'g/c' })
      await s.take(c.run, { settlements: [completed(c.message)] })
      expect((await s.store.getAccount('g')).stalls).toEqual([])
    })

    test('(D21) is parked by the end of a run that stalled with others, and spends no try of what it held', async () => {
      const { id, run, message } = await s.claimOne({ sessionId: 'g/a' })
      const trouble = { kind: 'outage', resetAtMs: null, isAlone: false } as const
      const settlement = retried(message, { spendsTry: false, because: 'outage', trouble })
      await s.end1(run, { end: 'silent', settlements: [settlement] })
      expect(await account()).toMatchObject({ state: 'parked', reason: 'outage', parkedUntilMs: NOW + 60_000 })
      expect(await s.message(id)).toMatchObject({ status: 'pending', tries: 0, processAfterMs: NOW + 60_000 })
    })

    test('stays as it is over a restart', async () => {
      await park(2)
      const before = await s.store.listAccounts()
      await s.reopen()
      expect(await s.store.listAccounts()).toEqual(before)
      await begin('g/s0', RESET)
      await s.reopen()
      expect(await account()).toMatchObject({ state: 'probing', probeSessionId: 'g/s0' })
      expect(await begin('g/s1', RESET)).toBe('account-parked')
    })

    test('makes no message late that waits for it', async () => {
      await park(1)
      expect(await s.store.oldestDueAtMs(RESET)).toBeNull()
      await s.send({ sessionId: 'h/other' })
      expect(await s.store.oldestDueAtMs(RESET)).toBe(NOW)
    })

    test('is parked as long as it was to be when the clock is set back meanwhile', async () => {
      await park(0)
      const back = NOW - 86_400_000
      while (await s.store.recallDue(back)) {
        // The next ones.
      }
      expect(await account()).toMatchObject({ parkedAtMs: back, parkedUntilMs: back + (RESET - NOW) })
    })
  })
}
