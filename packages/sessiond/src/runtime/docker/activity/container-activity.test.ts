import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeWorld } from '@sessiond/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Engine, EngineQuestion } from '../engine.ts'
import { ContainerActivity } from './container-activity.ts'

const ID = 'a1'.repeat(32)
const PID = 4242
const RUNNING = { State: { Pid: PID }, HostConfig: { NetworkMode: 'none' } }

/** An engine that answers every inspection alike, and counts them. */
class AnsweringEngine implements Pick<Engine, 'askExpecting'> {
  asked = 0
  answer: () => Promise<unknown> = async () => RUNNING

  async askExpecting<T>(_toDo: string, _statuses: readonly number[], _ask: EngineQuestion<T>): Promise<T | undefined> {
    this.asked += 1
    return (await this.answer()) as T | undefined
  }
}

let root: string
let world: FakeWorld
let engine: AnsweringEngine
let activity: ContainerActivity

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'container-activity-'))
  await mkdir(join(root, `${PID}/net`), { recursive: true })
  await mkdir(join(root, `self`))
  await mkdir(join(root, `cgroup/docker/${ID}`), { recursive: true })
  await writeFile(join(root, 'self/mountinfo'), `35 24 0:30 / ${root}/cgroup rw - cgroup2 cgroup2 rw\n`)
  await writeFile(join(root, `${PID}/net/dev`), 'Inter-|\n face |bytes packets\n')
  await standIn(`/docker/${ID}`)
  for (const [name, text] of Object.entries({
    'cpu.stat': 'usage_usec 9000\n',
    'io.stat': '',
    'pids.current': '1\n',
  })) {
    await writeFile(join(root, `cgroup/docker/${ID}/${name}`), text)
  }
  world = new FakeWorld()
  engine = new AnsweringEngine()
  activity = new ContainerActivity({ world, engine, proc: root })
})

afterEach(() => rm(root, { recursive: true, force: true }))

function standIn(cgroup: string): Promise<void> {
  return writeFile(join(root, `${PID}/cgroup`), `0::${cgroup}\n`)
}

const TOTALS = new Map([[ID, { cpuMs: 9, ioBytes: 0, processes: 1 }]])

test('asks the engine once, and files from then on', async () => {
  expect(await activity.sample([ID])).toEqual(TOTALS)
  engine.answer = () => Promise.reject(new Error('lost'))
  expect(await activity.sample([ID])).toEqual(TOTALS)
  expect(engine.asked).toBe(1)
})

test('does not ask again about a container that cannot be seen from here', async () => {
  await standIn('/user.slice')
  expect(await activity.sample([ID])).toEqual(new Map())
  expect(await activity.sample([ID])).toEqual(new Map())
  expect(engine.asked).toBe(1)
})

test.each<[string, () => Promise<unknown>]>([
  ['cannot be asked', () => Promise.reject(new Error('unreachable'))],
  ['knows no such container', async () => undefined],
  ['says it has not begun', async () => ({ State: { Pid: 0 }, HostConfig: {} })],
  ['answers nonsense', async () => ({})],
])('tells nothing while the engine %s, and all once it does better', async (_, answer) => {
  engine.answer = answer
  expect(await activity.sample([ID])).toEqual(new Map())
  engine.answer = async () => RUNNING
  expect(await activity.sample([ID])).toEqual(TOTALS)
})

test('does not wait long for an engine that hangs, asks it once, and takes its late answer', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  engine.answer = () => promise
  const sampled = activity.sample([ID])
  await world.advance(1_000)
  expect(await sampled).toEqual(new Map())
  const next = activity.sample([ID])
  resolve(RUNNING)
  expect(await next).toEqual(TOTALS)
  expect(engine.asked).toBe(1)
  expect(world.timerCount()).toBe(0)
})

test('asks again about a container whose pid leads elsewhere by now', async () => {
  await activity.sample([ID])
  await standIn('/user.slice')
  expect(await activity.sample([ID])).toEqual(new Map())
  await standIn(`/docker/${ID}`)
  expect(await activity.sample([ID])).toEqual(TOTALS)
  expect(engine.asked).toBe(2)
})

test('tells nothing of a container whose cgroup has gone', async () => {
  await activity.sample([ID])
  await rm(join(root, `cgroup/docker/${ID}`), { recursive: true })
  expect(await activity.sample([ID])).toEqual(new Map())
})
