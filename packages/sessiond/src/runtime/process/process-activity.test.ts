import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeWorld, settle, until } from '@sessiond/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MAX_SAMPLED_PROCESSES } from '../runtime.ts'
import { ProcessActivity } from './process-activity.ts'
import { RunMembers, type WatchedRun } from './run-members.ts'

/** A process as the fake /proc tells of it. */
interface Process {
  readonly parent: number
  readonly group: number
  readonly start: number
  readonly ticks?: number
  readonly waited?: number
  readonly bytes?: number
  readonly state?: string
  readonly runName?: string
}

let proc: string
let runs: WatchedRun[]
let activity: ProcessActivity
let world: FakeWorld

beforeEach(async () => {
  proc = await mkdtemp(join(tmpdir(), 'process-activity-'))
  runs = [watched('run-1', 100)]
  world = new FakeWorld()
  activity = new ProcessActivity(world, () => runs, proc)
})

afterEach(() => rm(proc, { recursive: true, force: true }))

function watched(name: string, leader: number, changes: Partial<WatchedRun> = {}): WatchedRun {
  return { id: name, query: { groupId: leader, runName: name, trustGroup: true }, isAdopted: false, ...changes }
}

async function put(pid: number, { parent, group, start, ticks = 0, waited = 0, bytes = 0, ...rest }: Process) {
  const folder = join(proc, String(pid))
  await mkdir(folder, { recursive: true })
  const stat = `${pid} (a) b) ${rest.state ?? 'S'} ${parent} ${group} ${group} 0 -1 0 0 0 0 0 ${ticks} 0 ${waited} 0 20 0 1 0 ${start} 0`
  await writeFile(join(folder, 'stat'), stat)
  await writeFile(join(folder, 'io'), `rchar: ${bytes}\nwchar: 0\nread_bytes: 0\nwrite_bytes: 0\n`)
  await writeFile(join(folder, 'environ'), `A=1\0SESSIOND_RUN=${rest.runName ?? 'none'}\0`)
}

function end(pid: number): Promise<void> {
  return rm(join(proc, String(pid)), { recursive: true })
}

/** Ticks of 10 ms, as everywhere. */
async function told(id = 'run-1') {
  const totals = (await activity.take()).get(id)
  return totals === undefined ? null : [totals.cpuMs / 10, totals.ioBytes, totals.processes]
}

describe('who belongs to a run', () => {
  test('is its group, whoever it carries the name of', async () => {
    await put(100, { parent: 1, group: 100, start: 10, ticks: 1, bytes: 10 })
    await put(101, { parent: 1, group: 100, start: 11, ticks: 2, bytes: 20 })
    await put(102, { parent: 1, group: 102, start: 11, ticks: 50, bytes: 500 })
    expect(await told()).toEqual([3, 30, 2])
  })

  test('is a child in a group of its own, and its children, also when they are orphaned later', async () => {
    await put(100, { parent: 1, group: 100, start: 10 })
    await put(101, { parent: 100, group: 101, start: 11, ticks: 2 })
    // Pids come round: a child may have the lower one.
    await put(50, { parent: 101, group: 50, start: 12, ticks: 4 })
    expect(await told()).toEqual([6, 0, 3])
    await end(101)
    await put(50, { parent: 1, group: 50, start: 12, ticks: 8 })
    expect(await told()).toEqual([10, 0, 2])
  })

  test('is an orphan that carries its name', async () => {
    await put(100, { parent: 1, group: 100, start: 10 })
    expect(await told()).toEqual([0, 0, 1])
    await put(300, { parent: 1, group: 300, start: 20, ticks: 7, runName: 'run-1' })
    expect(await told()).toEqual([7, 0, 2])
  })

  test('is nobody by a group whose id may be someone else’s by now', async () => {
    runs = [watched('run-1', 100, { query: { groupId: 100, runName: 'run-1', trustGroup: false }, isAdopted: true })]
    await put(100, { parent: 1, group: 100, start: 10, ticks: 5 })
    expect(await told()).toBeNull()
    await put(101, { parent: 1, group: 100, start: 11, ticks: 1, runName: 'run-1' })
    expect(await told()).toEqual([1, 0, 1])
  })

  test('is found among strangers when a run of before a restart is met', async () => {
    await put(100, { parent: 1, group: 100, start: 10 })
    await put(200, { parent: 1, group: 200, start: 11 })
    await put(201, { parent: 1, group: 201, start: 12, ticks: 3, runName: 'run-2' })
    expect(await told('run-2')).toBeNull()
    runs = [...runs, watched('run-2', 200, { isAdopted: true })]
    expect(await told('run-2')).toEqual([3, 0, 2])
  })

  test('is found under a pid that a stranger had, some looks later', async () => {
    await put(100, { parent: 1, group: 100, start: 10 })
    await put(300, { parent: 1, group: 300, start: 5 })
    await told()
    await put(300, { parent: 100, group: 100, start: 90, ticks: 4 })
    const seen = []
    for (let look = 0; look < 8; look += 1) seen.push(await told())
    expect(seen.at(-1)).toEqual([4, 0, 2])
  })
})

describe('a stranger whose environment hangs', () => {
  test('keeps a look waiting for a moment only, and none of the later ones', async () => {
    await put(100, { parent: 1, group: 100, start: 10, ticks: 1 })
    await put(300, { parent: 1, group: 300, start: 20 })
    await put(301, { parent: 1, group: 301, start: 21, ticks: 4, runName: 'run-1' })
    // Opening a pipe waits for who writes to it.
    const pipe = join(proc, '300/environ')
    await rm(pipe)
    execFileSync('mkfifo', [pipe])
    const looking = told()
    await until(() => expect(world.timerCount()).toBe(1))
    await world.advance(500)
    expect(await looking).toEqual([1, 0, 1])
    expect(await told()).toEqual([5, 0, 2])
    // Lets the reader that waits go.
    await (await open(pipe, 'w')).close()
    await settle()
  })
})

describe('a run of more processes than are read at once', () => {
  const COUNT = MAX_SAMPLED_PROCESSES + 88

  async function putCrowd(ticks: number): Promise<void> {
    for (let pid = 100; pid < 100 + COUNT; pid += 1) {
      await put(pid, { parent: pid === 100 ? 1 : 100, group: 100, start: pid, ticks, bytes: ticks })
    }
  }

  test('is not told of, at any look, while the others are', async () => {
    await putCrowd(1)
    await put(5000, { parent: 1, group: 5000, start: 9000, ticks: 7 })
    runs = [...runs, watched('run-2', 5000)]
    for (let look = 0; look < 3; look += 1) {
      const totals = await activity.take()
      expect([...totals.keys()]).toEqual(['run-2'])
    }
  })

  test('is told of again when it has as many as are read, with all they have used', async () => {
    await putCrowd(1)
    expect(await told()).toBeNull()
    await putCrowd(3)
    for (let pid = 612; pid < 100 + COUNT; pid += 1) await end(pid)
    const [ticks = 0, bytes, processes] = (await told()) ?? []
    expect(ticks).toBeGreaterThanOrEqual(3 * MAX_SAMPLED_PROCESSES)
    expect([bytes, processes]).toEqual([3 * MAX_SAMPLED_PROCESSES, MAX_SAMPLED_PROCESSES])
  })

  test('leaves the rest of the host its turn while it is read', async () => {
    await putCrowd(1)
    let hadTurn = false
    setImmediate(() => {
      hadTurn = true
    })
    await activity.take()
    expect(hadTurn).toBe(true)
  })

  test('is read no further than that at each look, and others of it at the next', async () => {
    const members = new RunMembers(world, proc)
    await putCrowd(1)
    await members.look(runs)
    await putCrowd(2)
    const read = async () => (await members.look(runs)).filter(({ stat }) => stat.ownTicks === 2).length
    expect(await read()).toBe(MAX_SAMPLED_PROCESSES)
    expect(await read()).toBe(COUNT)
  })
})

describe('what it has used', () => {
  test('holds what a child has used that was waited for, once', async () => {
    await put(100, { parent: 1, group: 100, start: 10, ticks: 1, bytes: 10 })
    await put(101, { parent: 100, group: 100, start: 11, ticks: 20, bytes: 200 })
    expect(await told()).toEqual([21, 210, 2])
    await put(101, { parent: 100, group: 100, start: 11, ticks: 25, bytes: 250, state: 'Z' })
    expect(await told()).toEqual([26, 260, 1])
    await end(101)
    await put(100, { parent: 1, group: 100, start: 10, ticks: 1, waited: 25, bytes: 260 })
    expect(await told()).toEqual([26, 260, 1])
  })

  test('holds what a process has used whose pid another one has by now', async () => {
    await put(100, { parent: 1, group: 100, start: 10 })
    await put(101, { parent: 1, group: 100, start: 11, ticks: 20 })
    expect(await told()).toEqual([20, 0, 2])
    await put(101, { parent: 1, group: 100, start: 55, ticks: 1 })
    expect(await told()).toEqual([21, 0, 2])
  })

  test('is not told while one of its processes may not be looked into', async () => {
    await put(100, { parent: 1, group: 100, start: 10, bytes: 10 })
    await put(101, { parent: 100, group: 100, start: 11, bytes: 20 })
    await writeFile(join(proc, '101/io'), 'noise')
    expect(await told()).toBeNull()
    await end(101)
    expect(await told()).toEqual([0, 10, 1])
  })

  test.each(['', 'noise', '100 (a) S', '\0'.repeat(1000), 'x'.repeat(100_000)])(
    'is not told when its only process says %j of itself',
    async (stat) => {
      await put(100, { parent: 1, group: 100, start: 10 })
      await writeFile(join(proc, '100/stat'), stat)
      expect(await told()).toBeNull()
    },
  )

  test('is not told of a run whose processes have all ended', async () => {
    await put(100, { parent: 1, group: 100, start: 10, state: 'Z' })
    expect(await told()).toBeNull()
  })

  test('rejects when processes cannot be listed at all', async () => {
    await rm(proc, { recursive: true })
    await expect(activity.take()).rejects.toThrow('ENOENT')
  })
})
