import { writeAck } from '@sessiond/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../../testkit/src/until.ts'
import type { HostOptions } from '../../src/config/options.ts'
import { SessiondError } from '../../src/model/errors.ts'
import type { RunSpec } from '../../src/runtime/runtime.ts'
import { realWorld, type World } from '../../src/world.ts'
import { SupervisorFixture } from './supervisor-fixture.ts'

let fixture: SupervisorFixture
afterEach(() => fixture.close())

async function setUp(options: Partial<HostOptions> = {}): Promise<SupervisorFixture> {
  fixture = await SupervisorFixture.make(options)
  return fixture
}

const UNKNOWN = { state: 'unknown', because: 'the engine is down' } as const

function engineDown(runtime: string): Promise<never> {
  return Promise.reject(new SessiondError('RUNTIME_UNREACHABLE', 'The engine is down.', { fields: { runtime } }))
}

/** Has a session's first run answer its message and idle. */
async function idleRun(sessionId: string, id: string): Promise<void> {
  await fixture.send(sessionId, id)
  await until(async () => expect((await fixture.states())[sessionId]).toBe('running'))
  fixture.write(sessionId, (db) => writeAck(db, id, 'completed', { epoch: 1, attempt: 1 }))
  await until(() => expect(fixture.watches.find(sessionId)?.idleForMs(performance.now())).not.toBeNull())
}

describe('(D18, I1) a session whose step throws before it has a run', () => {
  it.each(['readFacts', 'beginRun'] as const)('rests when %s fails, and delays nobody', async (method) => {
    const { store, supervisor, errors } = await setUp()
    const whole = store[method].bind(store) as (question: unknown, nowMs: number) => Promise<never>
    let failures = 0
    Object.assign(store, {
      [method]: (question: string | { sessionId: string }, nowMs: number) => {
        const sessionId = typeof question === 'string' ? question : question.sessionId
        if (sessionId !== 'g/broken') return whole(question, nowMs)
        failures += 1
        return Promise.reject(new SessiondError('STORE_BROKEN', 'database disk image is malformed'))
      },
    })
    await supervisor.start()
    const broken = await fixture.accept('g/broken', 'm-broken')
    const fine = await fixture.accept('g/fine', 'm-fine')
    supervisor.noteAccepted([broken, fine])
    await until(async () => expect(await fixture.states()).toMatchObject({ 'g/fine': 'running' }))
    // Three rests of 100, 200 and 400 ms: without them it would have been tried tens of thousands of times.
    await until(() => expect(failures).toBeGreaterThanOrEqual(4))
    expect(failures).toBeLessThan(20)
    expect(errors.length).toBeGreaterThanOrEqual(1)
  })

  it('is started as soon as it can be again', async () => {
    const { store, supervisor } = await setUp()
    const beginRun = store.beginRun.bind(store)
    let failures = 0
    store.beginRun = (question) => {
      if (failures === 3) return beginRun(question)
      failures += 1
      return Promise.reject(new SessiondError('DISK_FULL', 'database or disk is full'))
    }
    await supervisor.start()
    await fixture.send('g/main', 'm-1')
    await until(async () => expect(await fixture.states()).toEqual({ 'g/main': 'running' }))
    expect(failures).toBe(3)
  })
})

it('what falls due while admission looks who waits is seen at the next look, without a sweep', async () => {
  const { store, supervisor } = await setUp()
  await supervisor.start()
  const dueAtMs = Date.now() + 60
  const listWaiting = store.listWaiting.bind(store)
  store.listWaiting = async (nowMs, perGroup) => {
    const waiting = await listWaiting(nowMs, perGroup)
    while (Date.now() <= dueAtMs) await new Promise((resolve) => setImmediate(resolve))
    return waiting
  }
  const message = await fixture.accept('g/main', 'm-1', dueAtMs)
  supervisor.noteAccepted([message])
  await until(async () => expect(await fixture.states()).toEqual({ 'g/main': 'running' }))
})

it('(D16) a run that cannot be asked to stop is not chosen to make room', async () => {
  const { supervisor, docker, process } = await setUp({ runs: { max: 2 } })
  await supervisor.start()
  // Idle longest, and so the first to go, were its engine there.
  await idleRun('d/main', 'm-d')
  await idleRun('g/main', 'm-g')
  docker.list = () => engineDown('docker')
  docker.seen = UNKNOWN
  await supervisor.sweepOnce({ dryRun: false })
  expect(supervisor.lostRuntimes()).toEqual(['docker'])
  await fixture.send('g/waits', 'm-w')
  await until(async () => expect(await fixture.states()).toMatchObject({ 'g/main': 'stopping', 'd/main': 'running' }))
  expect(process.calls.some((call) => call.startsWith('SIGTERM'))).toBe(true)
  expect(docker.calls.some((call) => call.startsWith('SIGTERM'))).toBe(false)
})

it('blames the runtime that could not be asked, not the one the group uses by now', async () => {
  const { store, supervisor, docker } = await setUp()
  await fixture.accept('g/old', 'm-1')
  const begun = {
    sessionId: 'g/old',
    runtime: 'docker',
    nameOf: (epoch: number) => `x-${epoch}`,
    maxLiveRuns: 9,
    probeForMs: 60_000,
  }
  await store.beginRun({ ...begun, nowMs: Date.now() })
  docker.list = () => engineDown('docker')
  await supervisor.start()
  await until(async () => expect((await fixture.journal()).map((line) => line.type)).toContain('runtime:lost'))
  expect(supervisor.lostRuntimes()).toEqual(['docker'])
  const lost = (await fixture.journal()).filter((line) => line.type === 'runtime:lost')
  expect(lost.map((line) => line.detail.runtime)).toEqual(['docker'])
})

it('whoever only looks at a run that has been followed by another leaves the newer one watched', async () => {
  const { supervisor, process, watches } = await setUp()
  await supervisor.start()
  await fixture.send('g/main', 'm-1')
  await until(async () => expect(await fixture.states()).toEqual({ 'g/main': 'running' }))
  const [first] = await fixture.store.listLiveRuns()
  if (first === undefined) throw new Error('it runs, as seen above')
  await fixture.store.recordStopIntent(first, 'operator-stop', {}, Date.now())
  const slow = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  process.inspect = async ({ id }) => {
    if (id !== first.name) return { state: 'running' }
    asked.resolve()
    await slow.promise
    return { state: 'running' }
  }
  const looked = supervisor.explain('g/main')
  await asked.promise
  process.inspect = async ({ id }) => {
    return id === first.name
      ? { state: 'exited', exit: { code: 0, signal: null, oomKilled: false } }
      : { state: 'running' }
  }
  process.tellExit(first.name)
  await until(() => expect(watches.find('g/main')?.run.epoch).toBe(2))
  slow.resolve()
  await looked
  expect(watches.find('g/main')?.run.epoch).toBe(2)
})

it('(I10) a sweep opens no outbox that was not written to, and some all the same', async () => {
  const { supervisor, mailbox } = await setUp()
  await supervisor.start()
  await fixture.send('g/main', 'm-1')
  await until(async () => expect(await fixture.states()).toEqual({ 'g/main': 'running' }))
  await supervisor.sweepOnce({ dryRun: false })
  const take = mailbox.take.bind(mailbox)
  let looks = 0
  mailbox.take = (...question) => {
    looks += 1
    return take(...question)
  }
  for (let sweep = 0; sweep < 9; sweep += 1) await supervisor.sweepOnce({ dryRun: false })
  expect(looks).toBe(0)
  await supervisor.sweepOnce({ dryRun: false })
  expect(looks).toBe(1)
  fixture.write('g/main', (db) => writeAck(db, 'm-1', 'completed', { epoch: 1, attempt: 1 }))
  await supervisor.sweepOnce({ dryRun: false })
  expect(looks).toBeGreaterThan(1)
  expect(await fixture.store.getMessage('m-1')).toMatchObject({ status: 'completed' })
})

it('(I1) what was left in an outbox is taken soon, whatever brings the session up before, and without a sweep', async () => {
  const { supervisor, mailbox, store } = await setUp()
  await supervisor.start()
  await fixture.send('g/main', 'm-1')
  await until(async () => expect(await fixture.states()).toEqual({ 'g/main': 'running' }))
  const next = await fixture.accept('g/main', 'm-2')
  // Nothing tells of what is written but the look below.
  fixture.watches.find('g/main')?.unwatch()
  const take = mailbox.take.bind(mailbox)
  mailbox.take = (sessionId) => {
    mailbox.take = take
    // Comes while the run is looked at, and is no reason to look at what it wrote.
    supervisor.noteAccepted([next])
    return Promise.reject(new SessiondError('MAILBOX_BUSY', 'It is locked.', { fields: { sessionId } }))
  }
  fixture.write('g/main', (db) => writeAck(db, 'm-1', 'completed', { epoch: 1, attempt: 1 }))
  await supervisor.trigger('g/main', 'outbox')
  await until(async () => expect(await store.getMessage('m-1')).toMatchObject({ status: 'completed' }))
})

describe('stopping', () => {
  it('(D22) keeps its time when a runtime hangs', async () => {
    const { supervisor, process } = await setUp({ runs: { stopGrace: '100ms', killWait: '1s' } })
    await supervisor.start()
    const hung = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    process.before = (call) => {
      if (call !== 'create') return
      asked.resolve()
      return hung.promise
    }
    await fixture.send('g/main', 'm-1')
    await asked.promise
    const beganMs = performance.now()
    await supervisor.stop(500)
    const tookMs = performance.now() - beganMs
    hung.resolve()
    expect(tookMs).toBeLessThan(5_000)
    expect(await fixture.states()).toEqual({ 'g/main': 'starting' })
  })

  it('(D3, D19) looks at its live runs although a leftover takes its time, and ends in time itself', async () => {
    // The wait for leftovers is over at once.
    const world: World = { ...realWorld, setTimer: (ms, fn) => realWorld.setTimer(ms === 10_000 ? 20 : ms, fn) }
    fixture = await SupervisorFixture.make({ runs: { stopGrace: '100ms', killWait: '1s' } }, world)
    const { supervisor, process } = fixture
    await supervisor.start()
    await idleRun('g/main', 'm-1')
    const hung = Promise.withResolvers<void>()
    process.runs.set('left', { name: 'left', sessionId: 'g/gone', epoch: 1 } as RunSpec)
    process.seenOf.set('left', { state: 'created' })
    process.before = (call, id) => (call === 'remove' && id === 'left' ? hung.promise : undefined)
    const { lines } = await supervisor.sweepOnce({ dryRun: false })
    expect(lines.map(({ sessionId }) => sessionId)).toContain('g/main')
    // A sweep that follows does not begin the same removal again.
    await supervisor.sweepOnce({ dryRun: false })
    expect(process.calls.filter((call) => call === 'remove left')).toHaveLength(1)
    await supervisor.halt(50)
    hung.resolve()
  })

  it('lets go of everything although the store cannot be read', async () => {
    const { supervisor, store } = await setUp({ runs: { stopGrace: '10ms' } })
    await supervisor.start()
    const listLiveRuns = store.listLiveRuns.bind(store)
    store.listLiveRuns = () => Promise.reject(new SessiondError('STORE_BROKEN', 'disk I/O error'))
    await supervisor.stop(50)
    store.listLiveRuns = listLiveRuns
    await fixture.send('g/main', 'm-1')
    expect(await supervisor.trigger('g/main', 'request')).toEqual([])
    expect(await fixture.states()).toEqual({})
  })
})

describe('a host that died while it ended what waited in a closed session', () => {
  it('ends the rest at its next start', async () => {
    const { store, supervisor, errors } = await setUp()
    const first = await fixture.accept('g/closed', 'm-0')
    const rest = Array.from({ length: 1_200 }, (_, index) => ({ ...first, id: `m-${index + 1}` }))
    await store.accept(rest, Date.now())
    await store.closeSession('g/closed', Date.now())
    const pending = async () => (await store.getSessionSummary('g/closed'))?.pending
    expect(await pending()).toBeGreaterThan(0)
    await supervisor.start()
    expect(await pending()).toBe(0)
    expect(errors).toEqual([])
  })
})
