import { FakeWorld, settle } from '@sessiond/testkit'
import { describe, expect, it } from 'vitest'
import type { Cause, ReconcileResult } from './reconcile-session.ts'
import { Reconciler } from './reconciler.ts'

const NOTHING: ReconcileResult = { lines: [], recheckInMs: null, concernsAdmission: false }

interface Gate {
  readonly sessionId: string
  readonly causes: readonly Cause[]
  readonly open: (result?: Partial<ReconcileResult>) => Promise<void>
  readonly fail: () => Promise<void>
}

function setUp(concurrency = 8) {
  const world = new FakeWorld()
  const gates: Gate[] = []
  const errors: [string, number][] = []
  const admissions: string[] = []
  const failed: string[] = []
  const reconciler = new Reconciler({
    world,
    concurrency,
    laneOf: (sessionId) => sessionId.slice(0, sessionId.indexOf('/') + 1),
    reconcile: (sessionId, causes) =>
      new Promise((resolve, reject) => {
        gates.push({
          sessionId,
          causes: [...causes],
          open: (result = {}) => {
            resolve({ ...NOTHING, ...result })
            return settle()
          },
          fail: () => {
            reject(new Error('broken'))
            return settle()
          },
        })
      }),
    onError: (sessionId, _error, failures) => errors.push([sessionId, failures]),
    onAdmission: (sessionId) => admissions.push(sessionId),
    onSlotFailed: (sessionId) => failed.push(sessionId),
  })
  return { world, gates, errors, admissions, failed, reconciler, started: () => gates.map((gate) => gate.sessionId) }
}

describe('Reconciler', () => {
  it('(D18) reconciles one session once at a time and merges what comes meanwhile into one more pass', async () => {
    const { gates, reconciler } = setUp()
    void reconciler.trigger('a', 'message')
    void reconciler.trigger('a', 'outbox')
    void reconciler.trigger('a', 'exit')
    expect(gates).toHaveLength(1)
    await gates[0]?.open()
    expect(gates.map((gate) => gate.causes)).toEqual([['message'], ['outbox', 'exit']])
  })

  it('runs sessions beside each other up to the bound and starts the next as one ends', async () => {
    const { gates, reconciler, started } = setUp(2)
    for (const sessionId of ['a', 'b', 'c']) void reconciler.trigger(sessionId, 'sweep')
    expect(started()).toEqual(['a', 'b'])
    await gates[1]?.open()
    expect(started()).toEqual(['a', 'b', 'c'])
  })

  it('(D18, I2) lets no lane wait for another', async () => {
    const { gates, reconciler, started } = setUp(1)
    for (const sessionId of ['hung/a', 'hung/b', 'fine/a', 'fine/b']) void reconciler.trigger(sessionId, 'sweep')
    expect(started()).toEqual(['hung/a', 'fine/a'])
    await gates[1]?.open()
    expect(started()).toEqual(['hung/a', 'fine/a', 'fine/b'])
    let isIdle = false
    void reconciler.whenIdle().then(() => {
      isIdle = true
    })
    await gates[2]?.open()
    expect(isIdle).toBe(false)
    await gates[0]?.open()
    await gates[3]?.open()
    expect(isIdle).toBe(true)
  })

  it('(I1, D18) retries a session that throws, ever more slowly, while its neighbours go on', async () => {
    const { world, gates, errors, reconciler, started } = setUp()
    void reconciler.trigger('bad', 'sweep')
    void reconciler.trigger('good', 'sweep')
    await gates[0]?.fail()
    await gates[1]?.open()
    await world.advance(99)
    expect(started()).toEqual(['bad', 'good'])
    await world.advance(1)
    expect(started()).toEqual(['bad', 'good', 'bad'])
    await gates[2]?.fail()
    await world.advance(199)
    expect(gates).toHaveLength(3)
    await world.advance(1)
    expect(errors).toEqual([
      ['bad', 1],
      ['bad', 2],
    ])
    expect(gates).toHaveLength(4)
  })

  it('(D2, I1) calls a slot free when it was given one and threw, not when its live run does not stop', async () => {
    const { gates, admissions, failed, reconciler } = setUp()
    void reconciler.trigger('starts', 'admitted')
    void reconciler.trigger('stops', 'timer')
    for (const gate of gates) await gate.fail()
    expect({ admissions, failed }).toEqual({ admissions: [], failed: ['starts'] })
  })

  it('comes back when a reconcile asked for it, and an event before that makes the timer void', async () => {
    const { world, gates, reconciler } = setUp()
    void reconciler.trigger('a', 'message')
    await gates[0]?.open({ recheckInMs: 1_000 })
    await world.advance(500)
    void reconciler.trigger('a', 'outbox')
    await gates[1]?.open()
    await world.advance(10_000)
    expect(gates.map((gate) => gate.causes)).toEqual([['message'], ['outbox']])
    expect(world.timerCount()).toBe(0)
  })

  it('answers every trigger with the lines of the pass that served it', async () => {
    const { gates, reconciler } = setUp()
    const line = { sessionId: 'a', epoch: 1, action: 'leave', because: 'idle', evidence: {}, outcome: null }
    const first = reconciler.trigger('a', 'message')
    await gates[0]?.open({ lines: [line] })
    expect(await first).toEqual([line])
  })

  it('stop waits for what runs, drops what is queued and takes no more', async () => {
    const { world, gates, reconciler, started } = setUp(1)
    void reconciler.trigger('a', 'sweep')
    const queued = reconciler.trigger('b', 'sweep')
    let isStopped = false
    const stopped = reconciler.stop().then(() => {
      isStopped = true
    })
    await settle()
    expect(isStopped).toBe(false)
    await gates[0]?.open({ recheckInMs: 5 })
    await stopped
    expect(await queued).toEqual([])
    expect(await reconciler.trigger('c', 'sweep')).toEqual([])
    expect(started()).toEqual(['a'])
    expect(world.timerCount()).toBe(0)
  })
})
