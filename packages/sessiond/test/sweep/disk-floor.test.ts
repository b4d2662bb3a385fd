import { FakeWorld, writeAck } from '@sessiond/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../testkit/src/until.ts'
import { SessiondError } from '../../src/model/errors.ts'
import { DiskFloor } from '../../src/observe/disk-floor.ts'
import { DISK_FLOOR_BYTES, openFloor, SupervisorFixture } from './supervisor-fixture.ts'

const LOW = DISK_FLOOR_BYTES - 1
const RECOVERED = DISK_FLOOR_BYTES * 1.05

let world: FakeWorld
let fixture: SupervisorFixture

beforeEach(async () => {
  world = new FakeWorld()
  fixture = await SupervisorFixture.make({ runs: { max: 2 } }, world)
  await fixture.supervisor.start()
})
afterEach(() => fixture.close())

async function isRunning(sessionId: string): Promise<void> {
  await until(async () => expect((await fixture.states())[sessionId]).toBe('running'))
}

async function noted(): Promise<string[]> {
  return (await fixture.journal()).map((line) => line.type).filter((type) => type.startsWith('disk:'))
}

describe('below the disk floor', () => {
  it('no run starts, nothing is counted against the session, and it starts by itself once there is room', async () => {
    fixture.disk.freeBytes = LOW
    await fixture.send('g/waits', 'm-1')
    await world.advance(10 * 60_000)
    expect(await fixture.states()).toEqual({})
    expect(fixture.process.calls.filter((call) => call.startsWith('create'))).toEqual([])
    expect(await fixture.store.getSession('g/waits')).toMatchObject({ epoch: 0, spawnFailures: 0 })
    expect(await fixture.store.getMessage('m-1')).toMatchObject({ status: 'pending', tries: 0 })
    // Between the floor and some way above it, it might be below again in a moment.
    fixture.disk.freeBytes = RECOVERED - 1
    await world.advance(10_000)
    expect(await fixture.states()).toEqual({})
    fixture.disk.freeBytes = RECOVERED
    await world.advance(2_000)
    await isRunning('g/waits')
    expect(await noted()).toEqual(['disk:low', 'disk:recovered'])
    expect(fixture.errors).toEqual([])
  })

  it('what runs goes on, and is given what comes for it', async () => {
    await fixture.send('g/works', 'm-1')
    await isRunning('g/works')
    fixture.disk.freeBytes = 0
    fixture.write('g/works', (db) => writeAck(db, 'm-1', 'completed', { epoch: 1, attempt: 1 }))
    await fixture.supervisor.sweepOnce({ dryRun: false })
    expect(await fixture.store.getMessage('m-1')).toMatchObject({ status: 'completed' })
    await fixture.send('g/works', 'm-2')
    await until(async () => expect((await fixture.store.readFacts('g/works', world.now()))?.projectedUnclaimed).toBe(1))
    expect(await fixture.states()).toEqual({ 'g/works': 'running' })
  })

  it('no idle run is stopped for those who wait', async () => {
    for (const [sessionId, id] of [
      ['g/idle', 'm-1'],
      ['g/idle-too', 'm-2'],
    ] as const) {
      await fixture.send(sessionId, id)
      await isRunning(sessionId)
      fixture.write(sessionId, (db) => writeAck(db, id, 'completed', { epoch: 1, attempt: 1 }))
      await fixture.supervisor.sweepOnce({ dryRun: false })
    }
    fixture.disk.freeBytes = LOW
    await fixture.send('g/waits', 'm-3')
    await world.advance(30_000)
    expect(await fixture.states()).toEqual({ 'g/idle': 'running', 'g/idle-too': 'running' })
    fixture.disk.freeBytes = 2 ** 30
    await world.advance(2_000)
    await until(async () => expect(Object.values(await fixture.states())).toContain('stopping'))
  })

  it('the disk is looked at every few seconds while somebody waits for it, and otherwise with the sweep', async () => {
    let looks = 0
    const disk = {
      get freeBytes() {
        looks += 1
        return LOW
      },
    }
    Object.defineProperty(fixture.disk, 'freeBytes', Object.getOwnPropertyDescriptor(disk, 'freeBytes') ?? {})
    await world.advance(600_000)
    expect(looks).toBeGreaterThanOrEqual(10)
    expect(looks).toBeLessThan(15)
    looks = 0
    await fixture.send('g/waits', 'm-1')
    await world.advance(60_000)
    expect(looks).toBeGreaterThan(15)
    expect(looks).toBeLessThan(70)
  })

  it('a dry run and an explanation say what is waited for, and put nothing on record', async () => {
    await fixture.accept('g/waits', 'm-1')
    fixture.disk.freeBytes = LOW
    const figures = { freeBytes: LOW, wantedBytes: RECOVERED }
    const told = { sessionId: 'g/waits', action: 'leave', because: 'disk-low', evidence: figures }
    expect(await fixture.supervisor.explain('g/waits')).toMatchObject(told)
    expect((await fixture.supervisor.sweepOnce({ dryRun: true })).lines).toMatchObject([told])
    expect(await noted()).toEqual([])
  })

  it('a session that was given its slot just before has it taken back, and gets it when there is room', async () => {
    const { store } = fixture
    const readFacts = store.readFacts.bind(store)
    store.readFacts = (sessionId, nowMs) => {
      fixture.disk.freeBytes = LOW
      return readFacts(sessionId, nowMs)
    }
    await fixture.send('g/late', 'm-1')
    await world.advance(5_000)
    expect(await fixture.states()).toEqual({})
    store.readFacts = readFacts
    fixture.disk.freeBytes = 2 ** 30
    await world.advance(2_000)
    await isRunning('g/late')
  })

  it('a message put back by a person is looked after, too, without a sweep', async () => {
    fixture.disk.freeBytes = LOW
    await fixture.accept('g/waits', 'm-1')
    void fixture.supervisor.trigger('g/waits', 'message')
    await world.advance(5_000)
    fixture.disk.freeBytes = 2 ** 30
    await world.advance(3_000)
    await isRunning('g/waits')
  })

  it('a disk that cannot be asked is not a full one', async () => {
    fixture.disk.freeBytes = null
    await fixture.send('g/main', 'm-1')
    await isRunning('g/main')
    expect(await noted()).toEqual([])
  })
})

describe('the record of a low disk', () => {
  it('is made with nobody waiting, once for many looks, and again after it has recovered', async () => {
    fixture.disk.freeBytes = LOW
    for (let sweep = 0; sweep < 5; sweep += 1) await world.advance(60_000)
    expect(await noted()).toEqual(['disk:low'])
    fixture.disk.freeBytes = DISK_FLOOR_BYTES
    await world.advance(60_000)
    expect(await noted()).toEqual(['disk:low'])
    fixture.disk.freeBytes = RECOVERED
    await world.advance(60_000)
    fixture.disk.freeBytes = LOW
    await world.advance(60_000)
    expect(await noted()).toEqual(['disk:low', 'disk:recovered', 'disk:low'])
    expect((await fixture.journal()).find((line) => line.type === 'disk:low')?.detail).toEqual({
      freeBytes: LOW,
      floorBytes: DISK_FLOOR_BYTES,
      wantedBytes: RECOVERED,
    })
  })

  it('is not made again by a host that starts while the disk is still low', async () => {
    fixture.disk.freeBytes = LOW
    await world.advance(60_000)
    const next = await openFloor(fixture.store, world, fixture.disk)
    expect(await next.look()).toMatchObject({ isLow: true, wantedBytes: RECOVERED })
    fixture.disk.freeBytes = DISK_FLOOR_BYTES
    expect(await next.look()).toMatchObject({ isLow: true })
    expect(await noted()).toEqual(['disk:low'])
    fixture.disk.freeBytes = null
    expect(await next.look()).toMatchObject({ isLow: false })
    expect(await noted()).toEqual(['disk:low'])
    fixture.disk.freeBytes = 2 ** 30
    await next.look()
    expect(await noted()).toEqual(['disk:low', 'disk:recovered'])
  })

  it('is one for looks at the same time', async () => {
    fixture.disk.freeBytes = LOW
    const floor = await openFloor(fixture.store, world, fixture.disk)
    const other = await openFloor(fixture.store, world, fixture.disk)
    await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? floor : other).look()))
    expect(await noted()).toEqual(['disk:low'])
  })

  it('that finds no room itself is made at a later look, and the floor holds meanwhile', async () => {
    const { store } = fixture
    let isFull = true
    const errors: unknown[] = []
    const floor = await DiskFloor.open({
      world,
      store: {
        isDiskLow: () => store.isDiskLow(),
        recordDisk: (disk, nowMs) =>
          isFull ? Promise.reject(new SessiondError('DISK_FULL', 'full')) : store.recordDisk(disk, nowMs),
      },
      diskSpace: { freeBytes: () => Promise.resolve(0) },
      floorBytes: DISK_FLOOR_BYTES,
      onError: (error) => errors.push(error),
    })
    expect(await floor.look()).toMatchObject({ isLow: true })
    expect(errors).toMatchObject([{ code: 'DISK_FULL' }])
    isFull = false
    expect(await floor.look()).toMatchObject({ isLow: true })
    expect(await noted()).toEqual(['disk:low'])
  })
})
