import { ScriptedRuntime } from '@sessiond/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { SessiondError } from '../../src/model/errors.ts'
import type { JournalEntry } from '../../src/model/journal.ts'
import type { Run } from '../../src/model/run.ts'
import type { RunSpec, SeenRun } from '../../src/runtime/runtime.ts'
import { LeftoverSweep } from '../../src/sweep/leftover-sweep.ts'
import { realWorld } from '../../src/world.ts'

const EXITED: SeenRun = { state: 'exited', exit: { code: 0, signal: null, oomKilled: false } }

let runtime: ScriptedRuntime
let live: string[]
let journal: JournalEntry[]
let append: (lines: readonly JournalEntry[]) => Promise<void>
let sweep: LeftoverSweep

beforeEach(() => {
  runtime = new ScriptedRuntime('docker')
  runtime.seen = EXITED
  live = []
  journal = []
  append = async (lines) => void journal.push(...lines)
  sweep = new LeftoverSweep({
    world: realWorld,
    config: { groups: new Map([['g', { network: 'agents' } as never]]) },
    store: {
      listLiveRuns: async () => live.map((name) => ({ name }) as Run),
      append: (lines) => append(lines),
    },
  })
})

function leave(count: number, prefix = 'left'): string[] {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
  for (const name of names) runtime.runs.set(name, { name, sessionId: 'g/s', epoch: 1 } as RunSpec)
  return names
}

function unreachable(): SessiondError {
  return new SessiondError('RUNTIME_UNREACHABLE', 'Nobody answers.')
}

describe('a sweep of leftovers', () => {
  it('(D4) spares a run that is recorded while the runtime lists', async () => {
    leave(2)
    const list = runtime.list.bind(runtime)
    runtime.list = async () => {
      const found = await list()
      live = ['left-0']
      return found
    }
    expect(await sweep.clear(runtime)).toBe(1)
    expect([...runtime.runs.keys()]).toEqual(['left-0'])
  })

  it('(D3) is stopped by none that resists, and tells of each by its own reason', async () => {
    leave(300)
    runtime.before = (call, id) => {
      if (call === 'remove' && id.endsWith('7')) throw new Error(`no way to remove ${id}`)
    }
    expect(await sweep.clear(runtime)).toBe(270)
    expect([...runtime.runs.keys()].every((name) => name.endsWith('7'))).toBe(true)
    const told = journal.filter(({ detail }) => detail.outcome !== 'removed').map(({ detail }) => detail)
    expect(told).toHaveLength(30)
    expect(told).toContainEqual({
      runtime: 'docker',
      name: 'left-7',
      wasRunning: false,
      outcome: 'no way to remove left-7',
    })
  })

  it('(F1) tells of one that resists once for each reason, not at every sweep', async () => {
    leave(1)
    let because = 'it is busy'
    runtime.before = (call) => {
      if (call === 'remove') throw new Error(because)
    }
    const outcomes = async () => {
      await sweep.clear(runtime)
      return journal.map(({ detail }) => detail.outcome)
    }
    expect(await outcomes()).toEqual(['it is busy'])
    expect(await outcomes()).toEqual(['it is busy'])
    because = 'it is still busy'
    expect(await outcomes()).toEqual(['it is busy', 'it is still busy'])
    runtime.before = () => {}
    expect(await outcomes()).toEqual(['it is busy', 'it is still busy', 'removed'])
  })

  it('(F1) tells of a thousand in a few lines, with every name in one of them', async () => {
    const names = leave(1_000)
    expect(await sweep.clear(runtime)).toBe(1_000)
    expect(journal.length).toBeLessThanOrEqual(10)
    expect(journal.flatMap(({ detail }) => detail.names as string[]).sort()).toEqual(names.sort())
    const counts = journal.map(({ detail }) => detail.count as number)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1_000)
    expect(journal.every(({ detail }) => detail.ofFound === 1_000)).toBe(true)
  })

  it('never asks for more than some at once', async () => {
    leave(200)
    let [now, most] = [0, 0]
    runtime.before = async () => {
      now += 1
      most = Math.max(most, now)
      await new Promise((resolve) => setImmediate(resolve))
      now -= 1
    }
    await sweep.clear(runtime)
    expect(most).toBeGreaterThan(4)
    expect(most).toBeLessThanOrEqual(16)
  })

  it('ends what runs before it tidies up what does not', async () => {
    leave(40)
    runtime.seenOf.set('left-39', { state: 'running' })
    runtime.before = (call, id) => {
      if (call === 'SIGKILL') runtime.seenOf.set(id, EXITED)
    }
    await sweep.clear(runtime)
    expect(runtime.calls[0]).toBe('SIGKILL left-39')
    expect(runtime.runs.size).toBe(0)
  })

  it('comes last to what resisted before, so that it holds up no other', async () => {
    leave(20)
    runtime.before = (_, id) => {
      if (id === 'left-0') throw new Error('no')
    }
    await sweep.clear(runtime)
    leave(30, 'more')
    runtime.calls.length = 0
    await sweep.clear(runtime)
    expect(runtime.calls.at(-1)).toBe('remove left-0')
  })

  it('removes a killed one that needed a moment in the same sweep', async () => {
    leave(1)
    runtime.seenOf.set('left-0', { state: 'running' })
    let looks = 0
    const inspect = runtime.inspect.bind(runtime)
    runtime.inspect = (handle) => {
      looks += 1
      if (looks === 3) runtime.seenOf.set('left-0', EXITED)
      return inspect(handle)
    }
    expect(await sweep.clear(runtime)).toBe(1)
    expect(looks).toBe(3)
    expect(journal).toMatchObject([{ sessionId: 'g/s', epoch: 1, detail: { wasRunning: true, outcome: 'removed' } }])
  })

  it('(D13) leaves a killed one of which nobody can say whether it is gone', async () => {
    leave(1)
    runtime.seenOf.set('left-0', { state: 'running' })
    runtime.before = (_, id) => void runtime.seenOf.set(id, { state: 'unknown', because: 'the engine is away' })
    expect(await sweep.clear(runtime)).toBe(0)
    expect(runtime.calls).toEqual(['SIGKILL left-0'])
    expect(journal).toMatchObject([{ detail: { outcome: 'killed, but still unknown' } }])
  })

  it('(D3) gives up when the engine goes away under it, instead of waiting for a thousand answers', async () => {
    leave(1_000)
    runtime.before = () => {
      throw unreachable()
    }
    expect(await sweep.clear(runtime)).toBe(0)
    expect(runtime.calls.length).toBeLessThan(60)
    runtime.before = () => {}
    expect(await sweep.clear(runtime)).toBe(1_000)
  })

  it('(F1) does not tell over and over of an engine that lists and then goes away', async () => {
    leave(100)
    runtime.before = () => {
      throw unreachable()
    }
    for (let sweeps = 0; sweeps < 20; sweeps += 1) await sweep.clear(runtime)
    expect(journal.length).toBeLessThanOrEqual(100)
    expect(new Set(journal.map(({ detail }) => detail.name)).size).toBe(journal.length)
  })

  it('(D13) changes nothing and says so when the runtime cannot list', async () => {
    leave(1)
    runtime.listResources = () => Promise.reject(unreachable())
    await expect(sweep.clear(runtime)).rejects.toMatchObject({ code: 'RUNTIME_UNREACHABLE' })
    expect(runtime.calls).toEqual([])
  })

  it('is made once, however many ask for it at the same time', async () => {
    leave(5)
    expect(await Promise.all([sweep.clear(runtime), sweep.clear(runtime)])).toEqual([5, 5])
    expect(runtime.calls).toHaveLength(5)
  })

  it('goes on when the journal cannot be written, and says that afterwards', async () => {
    leave(250)
    append = () => Promise.reject(new SessiondError('DISK_FULL', 'No space is left.'))
    await expect(sweep.clear(runtime)).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(runtime.runs.size).toBe(0)
  })

  it('begins nothing more once the host lets go, and has ended when that is done', async () => {
    leave(500)
    const stopped = Promise.withResolvers<Promise<void>>()
    let after = 0
    let isOver = false
    runtime.before = async () => {
      if (isOver) after += 1
      stopped.resolve(sweep.stop())
      await new Promise((resolve) => setImmediate(resolve))
    }
    const clearing = sweep.clear(runtime)
    await await stopped.promise
    isOver = true
    expect(await clearing).toBeLessThanOrEqual(16)
    expect(after).toBe(0)
    expect(runtime.runs.size).toBeGreaterThanOrEqual(484)
  })
})

describe('volumes and networks', () => {
  function make(kind: 'volume' | 'network', name: string, runName: string | null = null): void {
    runtime.resources.push({ kind, id: `${name}-id`, name, runName })
  }

  it('(D5) stay while something uses them, while their run lives, or a group names them, and go otherwise', async () => {
    live = ['run-1']
    make('volume', 'left')
    make('volume', 'used')
    make('volume', 'taken')
    make('volume', 'of-a-live-run', 'run-1')
    make('volume', 'of-an-old-run', 'run-0')
    make('network', 'agents')
    make('network', 'left')
    // A network is named by a group; a volume of that name is not.
    make('volume', 'agents')
    runtime.usedResources.set('used-id', 'somebody')
    // Behind the back of the sweep, which has found it unused.
    runtime.before = (_, id) => {
      if (id === 'taken-id') runtime.usedResources.set(id, 'somebody')
    }
    expect(await sweep.clear(runtime)).toBe(4)
    expect(runtime.resources.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'volume used',
      'volume taken',
      'volume of-a-live-run',
      'network agents',
    ])
    expect(journal.map(({ type, detail }) => `${type} ${detail.name}`)).toEqual([
      'volume:removed left',
      'volume:removed of-an-old-run',
      'network:removed left',
      'volume:removed agents',
    ])
  })

  it('go after the containers that used them, in the same sweep', async () => {
    leave(1)
    make('volume', 'left')
    runtime.usedResources.set('left-id', 'left-0')
    runtime.before = (call) => {
      if (call === 'remove') runtime.usedResources.clear()
    }
    expect(await sweep.clear(runtime)).toBe(2)
  })
})
