import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeWorld } from '../../../testkit/src/fake-world.ts'
import type { SinkOutcome } from '../../src/delivery/sink.ts'
import { SessiondError } from '../../src/model/errors.ts'
import { realWorld } from '../../src/world.ts'
import { CONFIRMED, DeliveryFixture, heldAnswer, ScriptedSink } from './delivery-fixture.ts'

const TRANSIENT: SinkOutcome = { confirmed: false, permanent: false, error: 'HTTP 500' }
const PERMANENT: SinkOutcome = { confirmed: false, permanent: true, error: 'HTTP 400' }

let fixture: DeliveryFixture
beforeEach(async () => {
  fixture = await DeliveryFixture.open()
})
afterEach(() => fixture.close())

describe('DeliveryLoop', () => {
  it('delivers what is due at the first kick and what is written later at the next', async () => {
    const sink = new ScriptedSink('a')
    const loop = fixture.loop([sink.entry()])
    await fixture.reply('g/s', ['one', 'two'], ['a'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 delivered', 'g-s-3 delivered'])
    await fixture.reply('g/s', ['three'], ['a'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 delivered', 'g-s-3 delivered', 'g-s-5 delivered'])
    expect(sink.texts).toEqual(['one', 'two', 'three'])
  })

  it('hands a sink the beginning of what a reply answers, and nothing for what is said on the way', async () => {
    const sink = new ScriptedSink('a')
    const loop = fixture.loop([sink.entry()])
    await fixture.reply('g/s', ['on the way'], ['a'])
    await fixture.reply('g/s', ['done'], ['a'], 'm-g-s')
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 delivered', 'g-s-3 delivered'])
    expect(sink.quotes).toEqual([null, 'go'])
  })

  it('keeps order within a session and sink while an earlier reply is retried', async () => {
    const sink = new ScriptedSink('a', (reply, attempt) =>
      reply.id === 'g-s-1' && attempt < 3 ? TRANSIENT : CONFIRMED,
    )
    const loop = fixture.loop([sink.entry()])
    await fixture.reply('g/s', ['one', 'two'], ['a'])
    loop.kick()
    await fixture.untilOutcomes([
      'g-s-1 deliveryRetried',
      'g-s-1 deliveryRetried',
      'g-s-1 delivered',
      'g-s-3 delivered',
    ])
    expect(sink.texts).toEqual(['one', 'one', 'one', 'two'])
  })

  it('(B12) lets another session flow while one hangs in the same sink', async () => {
    const held = heldAnswer()
    const sink = new ScriptedSink('a', (reply) => (reply.sessionId === 'g/slow' ? held.answer() : CONFIRMED))
    const loop = fixture.loop([sink.entry({ concurrency: 2 })])
    await fixture.reply('g/slow', ['stuck', 'behind'], ['a'])
    await fixture.reply('g/fast', ['one', 'two', 'three'], ['a'])
    loop.kick()
    await fixture.untilOutcomes(['g-fast-1 delivered', 'g-fast-3 delivered', 'g-fast-5 delivered'])
    expect(sink.texts).not.toContain('behind')
    held.give(CONFIRMED)
    await vi.waitFor(() => expect(sink.texts).toContain('behind'))
  })

  it('(B12, B13) lets another sink flow though more sessions than one batch wait for a full one', async () => {
    const held = heldAnswer()
    const bad = new ScriptedSink('bad', held.answer)
    const good = new ScriptedSink('good')
    // No timer ever fires here: nothing may hang on asking again later.
    const world = { ...realWorld, setTimer: () => () => {} }
    const loop = fixture.loop([bad.entry({ concurrency: 1 }), good.entry()], { world })
    const sessions = Array.from({ length: 150 }, (_, index) => `g/s${index}`)
    await Promise.all(sessions.map((session) => fixture.reply(session, ['x'], ['bad'])))
    await fixture.reply('g/last', ['hello'], ['good'])
    loop.kick()
    await fixture.untilOutcomes(['g-last-1 delivered'])
    expect(bad.texts).toHaveLength(1)
    held.give(CONFIRMED)
    await vi.waitFor(() => expect(bad.texts).toHaveLength(150), { timeout: 15_000 })
  })

  it('never has more under way in a sink than its concurrency, nor two of one session', async () => {
    let open = 0
    let most = 0
    const openSessions = new Set<string>()
    const sink = new ScriptedSink('a', async (reply) => {
      expect(openSessions.has(reply.sessionId)).toBe(false)
      openSessions.add(reply.sessionId)
      open += 1
      most = Math.max(most, open)
      await new Promise((resolve) => setImmediate(resolve))
      open -= 1
      openSessions.delete(reply.sessionId)
      return CONFIRMED
    })
    const loop = fixture.loop([sink.entry({ concurrency: 3 })])
    for (let session = 0; session < 8; session += 1) await fixture.reply(`g/s${session}`, ['x', 'y', 'z'], ['a'])
    loop.kick()
    await vi.waitFor(async () => expect(await fixture.outcomes()).toHaveLength(24), { timeout: 15_000 })
    expect(most).toBe(3)
    expect(new Set(await fixture.outcomes()).size).toBe(24)
  })

  it('(B11) dead-letters a permanent error on attempt 1 and goes on with the next reply', async () => {
    const sink = new ScriptedSink('a', (reply) => (reply.id === 'g-s-1' ? PERMANENT : CONFIRMED))
    const loop = fixture.loop([sink.entry()])
    await fixture.reply('g/s', ['bad', 'good'], ['a'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 deliveryFailed', 'g-s-3 delivered'])
    expect(await fixture.dead()).toMatchObject([{ replyId: 'g-s-1', attempts: 1, lastError: 'HTTP 400' }])
  })

  it('(B8) dead-letters with the reason once the attempts are spent', async () => {
    const sink = new ScriptedSink('a', () => TRANSIENT)
    const loop = fixture.loop([sink.entry({ maxAttempts: 2 })])
    await fixture.reply('g/s', ['bad'], ['a'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 deliveryRetried', 'g-s-1 deliveryFailed'])
    expect(await fixture.dead()).toMatchObject([{ attempts: 2, lastError: 'gave up after 2 attempts: HTTP 500' }])
  })

  it('(B9) takes a sink that answers nothing, or throws, as not confirmed', async () => {
    const sink = new ScriptedSink('a', (_reply, attempt) => {
      if (attempt === 1) return undefined as unknown as SinkOutcome
      if (attempt === 2) throw new Error('offline')
      return CONFIRMED
    })
    const loop = fixture.loop([sink.entry()])
    await fixture.reply('g/s', ['x'], ['a'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 deliveryRetried', 'g-s-1 deliveryRetried', 'g-s-1 delivered'])
  })

  it('takes a sink that neither answers nor heeds its signal as timed out, and moves on', async () => {
    const sink = new ScriptedSink('a', (_reply, attempt) => (attempt === 1 ? new Promise(() => {}) : CONFIRMED))
    // The loop's own bound lies a fixed grace above the policy's; a hasty world shortens both.
    const hasty = { ...realWorld, setTimer: (delayMs: number, fn: () => void) => realWorld.setTimer(delayMs / 100, fn) }
    const loop = fixture.loop([sink.entry({ timeoutMs: 1000 })], { world: hasty })
    await fixture.reply('g/s', ['x'], ['a'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 deliveryRetried', 'g-s-1 delivered'])
  })

  it('dead-letters replies for a sink that left the configuration, naming it', async () => {
    const loop = fixture.loop([])
    await fixture.reply('g/s', ['x'], ['gone'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 deliveryFailed'])
    expect(await fixture.dead()).toMatchObject([{ lastError: 'the sink gone is not in the configuration' }])
  })

  it('delivers a replayed dead letter', async () => {
    let isUp = false
    const sink = new ScriptedSink('a', () => (isUp ? CONFIRMED : PERMANENT))
    const loop = fixture.loop([sink.entry()])
    await fixture.reply('g/s', ['x'], ['a'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 deliveryFailed'])
    isUp = true
    const [dead] = await fixture.dead()
    await fixture.store.replayDeadDelivery(dead?.id ?? -1, fixture.world.now())
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 deliveryFailed', 'g-s-1 deliveryReplayed', 'g-s-1 delivered'])
  })

  it('(race) writes nothing when the delivery was failed and dropped while its sink was asked', async () => {
    const held = heldAnswer()
    const loop = fixture.loop([new ScriptedSink('a', held.answer).entry()])
    await fixture.reply('g/s', ['x'], ['a'])
    loop.kick()
    await held.asked
    const [due] = await fixture.store.listDueDeliveries(fixture.world.now(), 1)
    const id = due?.delivery.id ?? -1
    expect(await fixture.store.recordDelivery(id, 1, { to: 'failed', error: 'elsewhere' }, 1)).toBe(true)
    expect(await fixture.store.dropDeadDelivery(id, 1)).toBe('dropped')
    held.give(CONFIRMED)
    await loop.stop(10_000)
    expect(await fixture.outcomes()).toEqual(['g-s-1 deliveryFailed', 'g-s-1 deliveryDropped'])
  })

  it('(race) writes nothing when another attempt was recorded meanwhile', async () => {
    const held = heldAnswer()
    const loop = fixture.loop([new ScriptedSink('a', held.answer).entry()])
    await fixture.reply('g/s', ['x'], ['a'])
    loop.kick()
    await held.asked
    const [due] = await fixture.store.listDueDeliveries(fixture.world.now(), 1)
    const laterMs = fixture.world.now() + 3_600_000
    const retry = { to: 'retry', nextAttemptAtMs: laterMs, error: 'elsewhere' } as const
    await fixture.store.recordDelivery(due?.delivery.id ?? -1, 1, retry, 1)
    held.give(PERMANENT)
    await loop.stop(10_000)
    expect(await fixture.outcomes()).toEqual(['g-s-1 deliveryRetried'])
  })

  it('records what was confirmed once the store can write again, and does not deliver it twice', async () => {
    const sink = new ScriptedSink('a')
    let failures = 2
    const { store } = fixture
    const flaky = {
      getMessage: (id: string) => fixture.store.getMessage(id),
      listDueDeliveries: store.listDueDeliveries.bind(store),
      nextDeliveryAtMs: store.nextDeliveryAtMs.bind(store),
      recordDelivery: async (...args: Parameters<typeof store.recordDelivery>) => {
        if (failures-- > 0) throw new SessiondError('DISK_FULL', 'The disk is full.')
        return store.recordDelivery(...args)
      },
    }
    const hasty = { ...realWorld, setTimer: (delayMs: number, fn: () => void) => realWorld.setTimer(delayMs / 100, fn) }
    const loop = fixture.loop([sink.entry()], { store: flaky, world: hasty })
    await fixture.reply('g/s', ['x'], ['a'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 delivered'])
    expect(sink.texts).toEqual(['x'])
    expect(fixture.warnings).toEqual(['recording a delivery fails'])
  })

  it('asks a store that cannot be read again, and tells of it once', async () => {
    const sink = new ScriptedSink('a')
    let failures = 3
    const { store } = fixture
    const flaky = {
      getMessage: (id: string) => fixture.store.getMessage(id),
      listDueDeliveries: async (...args: Parameters<typeof store.listDueDeliveries>) => {
        if (failures-- > 0) throw new SessiondError('STORE_BUSY', 'The store is busy.')
        return store.listDueDeliveries(...args)
      },
      nextDeliveryAtMs: store.nextDeliveryAtMs.bind(store),
      recordDelivery: store.recordDelivery.bind(store),
    }
    const hasty = { ...realWorld, setTimer: (delayMs: number, fn: () => void) => realWorld.setTimer(delayMs / 100, fn) }
    const loop = fixture.loop([sink.entry()], { store: flaky, world: hasty })
    await fixture.reply('g/s', ['x'], ['a'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 delivered'])
    expect(fixture.warnings).toEqual(['reading deliveries fails'])
  })

  it('asks no more than now and then while what is due waits for its turn', async () => {
    const world = new FakeWorld()
    const timed = await DeliveryFixture.open(world)
    const held = heldAnswer()
    const list = vi.spyOn(timed.store, 'listDueDeliveries')
    const loop = timed.loop([new ScriptedSink('a', held.answer).entry({ concurrency: 1 })])
    await timed.reply('g/s', ['x'], ['a'])
    await timed.reply('g/t', ['x'], ['a'])
    loop.kick()
    await held.asked
    await vi.waitFor(() => expect(world.timerCount()).toBe(2))
    const asked = list.mock.calls.length
    await world.advance(249)
    expect(list.mock.calls.length).toBe(asked)
    await world.advance(1)
    expect(list.mock.calls.length).toBe(asked + 1)
    await timed.close()
  })

  it('wakes by itself when the next attempt is due, and not before', async () => {
    const world = new FakeWorld()
    const timed = await DeliveryFixture.open(world)
    const sink = new ScriptedSink('a', (_reply, attempt) => (attempt === 1 ? TRANSIENT : CONFIRMED))
    const loop = timed.loop([sink.entry({ baseMs: 60_000, maxMs: 60_000 })])
    await timed.reply('g/s', ['x'], ['a'])
    loop.kick()
    await timed.untilOutcomes(['g-s-1 deliveryRetried'])
    await vi.waitFor(() => expect(world.timerCount()).toBe(1))
    // Half of the back-off, and half of the other half: the world's randomness is 0.5.
    await world.advance(44_999)
    expect(sink.texts).toHaveLength(1)
    await world.advance(1)
    await timed.untilOutcomes(['g-s-1 deliveryRetried', 'g-s-1 delivered'])
    await loop.stop(1000)
    expect(world.timerCount()).toBe(0)
    await timed.close()
  })

  it('sees within a minute that the wall clock was set past the next attempt', async () => {
    const world = new FakeWorld()
    const timed = await DeliveryFixture.open(world)
    const sink = new ScriptedSink('a', (_reply, attempt) => (attempt === 1 ? TRANSIENT : CONFIRMED))
    const loop = timed.loop([sink.entry({ baseMs: 3_600_000, maxMs: 3_600_000 })])
    await timed.reply('g/s', ['x'], ['a'])
    loop.kick()
    await timed.untilOutcomes(['g-s-1 deliveryRetried'])
    await vi.waitFor(() => expect(world.timerCount()).toBe(1))
    world.stepWallClock(3_600_000)
    await world.advance(60_000)
    await timed.untilOutcomes(['g-s-1 deliveryRetried', 'g-s-1 delivered'])
    await timed.close()
  })

  it('stop waits for what is under way and starts nothing more', async () => {
    const held = heldAnswer()
    const sink = new ScriptedSink('a', held.answer)
    const loop = fixture.loop([sink.entry()])
    await fixture.reply('g/s', ['one', 'two'], ['a'])
    loop.kick()
    await held.asked
    const stopped = loop.stop(20_000)
    held.give(CONFIRMED)
    await stopped
    loop.kick()
    expect(await fixture.outcomes()).toEqual(['g-s-1 delivered'])
    expect(sink.texts).toEqual(['one'])
  })

  it('stop aborts what outlasts the drain and leaves it pending with no attempt spent', async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<AbortSignal>()
    const sink = new ScriptedSink('a', (_reply, _attempt, signal) => {
      ask(signal)
      return new Promise(() => {})
    })
    const loop = fixture.loop([sink.entry()])
    await fixture.reply('g/s', ['one'], ['a'])
    loop.kick()
    const signal = await asked
    await loop.stop(0)
    expect(signal.aborted).toBe(true)
    expect(await fixture.outcomes()).toEqual([])
    const due = await fixture.store.listDueDeliveries(fixture.world.now(), 10)
    expect(due).toMatchObject([{ delivery: { attempts: 0, status: 'pending' } }])
  })
})
