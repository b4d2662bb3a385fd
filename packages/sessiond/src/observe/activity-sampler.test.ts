import { FakeWorld, ScriptedRuntime } from '@sessiond/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import type { RunHandle } from '../model/run.ts'
import type { ActivityTotals, Runtime } from '../runtime/runtime.ts'
import type { ActivitySample } from './activity-meter.ts'
import { ActivitySampler, type SampledRun } from './activity-sampler.ts'

/** A runtime whose answers the test gives, and which writes down what it is asked. */
class AskedRuntime extends ScriptedRuntime {
  readonly asked: string[][] = []
  answer: () => Promise<ReadonlyMap<string, ActivityTotals>> = async () => this.activity

  override async sample(handles: readonly RunHandle[]): Promise<ReadonlyMap<string, ActivityTotals>> {
    this.asked.push(handles.map(({ id }) => id))
    return this.answer()
  }

  used(id: string, cpuMs: number, ioBytes = 0, processes = 1): void {
    this.activity.set(id, { cpuMs, ioBytes, processes })
  }
}

let world: FakeWorld
let docker: AskedRuntime
let local: AskedRuntime
let runs: SampledRun[]
let samples: [string, ActivitySample][]
let sampler: ActivitySampler

beforeEach(() => {
  world = new FakeWorld()
  docker = new AskedRuntime('docker')
  local = new AskedRuntime('process')
  runs = [runOf('a', docker)]
  samples = []
  sampler = new ActivitySampler({
    world,
    runtimes: new Map<string, Runtime>([docker, local].map((runtime) => [runtime.name, runtime])),
    listRuns: () => runs,
    onSample: (name, sample) => samples.push([name, sample]),
  })
  sampler.start()
})

function runOf(name: string, { name: runtime }: Runtime): SampledRun {
  return { name, handle: { runtime, id: `id-${name}` } }
}

describe('what it tells', () => {
  test('is the difference between two looks, and the time between them', async () => {
    docker.used('id-a', 1_000, 10_000)
    await world.advance(5_000)
    expect(samples).toEqual([])
    docker.used('id-a', 1_250, 10_500, 3)
    await world.advance(5_000)
    expect(samples).toEqual([['a', { cpuMs: 250, ioBytes: 500, processes: 3, overMs: 5_000 }]])
  })

  test('is measured on the monotonic clock, whatever the wall clock does', async () => {
    docker.used('id-a', 0)
    await world.advance(5_000)
    world.stepWallClock(-86_400_000)
    await world.advance(5_000)
    expect(samples[0]?.[1].overMs).toBe(5_000)
  })

  test('is nothing of a run that cannot be read, and all of the gap once it can be again', async () => {
    docker.used('id-a', 100)
    await world.advance(5_000)
    docker.activity.clear()
    await world.advance(5_000)
    expect(samples).toEqual([])
    docker.used('id-a', 700)
    await world.advance(5_000)
    expect(samples).toEqual([['a', { cpuMs: 600, ioBytes: 0, processes: 1, overMs: 10_000 }]])
  })

  test.each([
    ['CPU time', { cpuMs: 10, ioBytes: 900 }],
    ['bytes', { cpuMs: 900, ioBytes: 10 }],
  ])('starts anew where %s went back', async (_, { cpuMs, ioBytes }) => {
    docker.used('id-a', 500, 500)
    await world.advance(5_000)
    docker.used('id-a', cpuMs, ioBytes)
    await world.advance(5_000)
    expect(samples).toEqual([])
    docker.used('id-a', cpuMs + 1, ioBytes + 2)
    await world.advance(5_000)
    expect(samples).toEqual([['a', { cpuMs: 1, ioBytes: 2, processes: 1, overMs: 5_000 }]])
  })
})

describe('what it asks', () => {
  test('is nothing while nothing runs', async () => {
    runs = []
    await world.advance(60_000)
    expect(docker.asked).toEqual([])
    runs = [runOf('a', docker)]
    await world.advance(5_000)
    expect(docker.asked).toEqual([['id-a']])
    expect(local.asked).toEqual([])
  })

  test('is one question a runtime, about the runs that are listed', async () => {
    runs = [runOf('a', docker), runOf('b', local), runOf('c', docker)]
    await world.advance(5_000)
    runs = [runOf('c', docker)]
    await world.advance(5_000)
    expect(docker.asked).toEqual([['id-a', 'id-c'], ['id-c']])
    expect(local.asked).toEqual([['id-b']])
  })

  test('is nothing of a runtime that cannot tell, or that nobody knows', async () => {
    Object.assign(docker, { capabilities: { ...docker.capabilities, activity: false } })
    runs = [runOf('a', docker), { name: 'b', handle: { runtime: 'unknown', id: 'x' } }]
    await world.advance(10_000)
    expect(docker.asked).toEqual([])
    expect(samples).toEqual([])
  })

  test('is asked at the interval it is given', async () => {
    sampler.stop()
    const often = new ActivitySampler({
      world,
      runtimes: new Map<string, Runtime>([['docker', docker]]),
      listRuns: () => runs,
      onSample: () => {},
      intervalMs: 100,
    })
    often.start()
    often.start()
    await world.advance(1_000)
    expect(docker.asked).toHaveLength(10)
  })
})

describe('one that misbehaves', () => {
  test('by hanging delays no other, and is not asked twice', async () => {
    runs = [runOf('a', docker), runOf('b', local)]
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, ActivityTotals>>()
    docker.answer = () => promise
    local.used('id-b', 1)
    await world.advance(20_000)
    expect(docker.asked).toHaveLength(1)
    expect(samples.map(([name]) => name)).toEqual(['b', 'b', 'b'])
    docker.answer = async () => docker.activity
    docker.used('id-a', 50)
    resolve(new Map(docker.activity))
    await world.advance(0)
    await world.advance(5_000)
    expect(samples.filter(([name]) => name === 'a')).toEqual([
      ['a', { cpuMs: 0, ioBytes: 0, processes: 1, overMs: 5_000 }],
    ])
  })

  test('by throwing costs its own runs a look, and nobody else', async () => {
    runs = [runOf('a', docker), runOf('b', local)]
    docker.used('id-a', 1)
    local.used('id-b', 1)
    await world.advance(5_000)
    docker.answer = () => Promise.reject(new Error('broken'))
    await world.advance(5_000)
    docker.answer = async () => docker.activity
    await world.advance(5_000)
    expect(samples.map(([name, { overMs }]) => [name, overMs])).toEqual([
      ['b', 5_000],
      ['a', 10_000],
      ['b', 5_000],
    ])
  })
})

describe('what it forgets', () => {
  test('is a run that is no longer listed', async () => {
    docker.used('id-a', 100)
    await world.advance(5_000)
    runs = []
    await world.advance(5_000)
    runs = [runOf('a', docker)]
    docker.used('id-a', 900)
    await world.advance(5_000)
    expect(samples).toEqual([])
    await world.advance(5_000)
    expect(samples).toEqual([['a', { cpuMs: 0, ioBytes: 0, processes: 1, overMs: 5_000 }]])
  })

  test('is an answer about a run that has left meanwhile', async () => {
    docker.used('id-a', 100)
    await world.advance(5_000)
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, ActivityTotals>>()
    docker.answer = () => promise
    await world.advance(5_000)
    runs = []
    await world.advance(5_000)
    resolve(docker.activity)
    await world.advance(0)
    expect(samples).toEqual([])
  })

  test('is everything, once it is stopped', async () => {
    docker.used('id-a', 100)
    await world.advance(5_000)
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, ActivityTotals>>()
    docker.answer = () => promise
    await world.advance(5_000)
    sampler.stop()
    resolve(docker.activity)
    await world.advance(60_000)
    expect(samples).toEqual([])
    expect(world.timerCount()).toBe(0)
    expect(docker.asked).toHaveLength(2)
  })
})
