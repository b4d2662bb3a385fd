import { readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ActivityTotals, RunHandle, RunSpec, Runtime } from '../../sessiond/src/ports.ts'
import { until, untilFile, untilSeen } from './until.ts'

export interface ActivitySuite {
  runtime(): Runtime
  /** Another runtime on the same remains, as after a restart of the host. */
  reopen(): Runtime
  run(fixture: string): Promise<{ spec: RunSpec; handle: RunHandle }>
  create(fixture: string): Promise<RunHandle>
}

/** What a run at rest may use while another one computes for COMPUTED_MS: its start may still have been under way. */
const STILL = { cpuMs: 50, ioBytes: 64 * 1024 }
const COMPUTED_MS = 400
/** File systems in memory: what is written there moves to no disk. */
const MEMORY_TYPES = new Set([0x01021994, 0x858458f6])
const MIB = 1024 * 1024
/** The shell tells hundredths of a second, each figure cut. */
const GRAIN_MS = 50

/** The part of the runtime port's conformance suite that is about what runs have used. */
export function exerciseActivity({ runtime, reopen, run, create }: ActivitySuite): void {
  async function totalsOf(handle: RunHandle, of = runtime()): Promise<ActivityTotals> {
    const totals = (await of.sample([handle])).get(handle.id)
    if (totals === undefined) throw new Error(`nothing is told of ${handle.id}`)
    return totals
  }

  async function startedRun(fixture: string): Promise<{ spec: RunSpec; handle: RunHandle }> {
    const started = await run(fixture)
    await untilFile(join(started.spec.outDir, 'ready'))
    return started
  }

  /** Resolves once the run has computed for so long after this. */
  async function untilComputed(handle: RunHandle, ms: number): Promise<ActivityTotals> {
    const before = await until(() => totalsOf(handle))
    return until(async () => {
      const now = await totalsOf(handle)
      expect(now.cpuMs - before.cpuMs).toBeGreaterThan(ms)
      return now
    })
  }

  describe('what a run has used', () => {
    beforeEach((context) => {
      if (!runtime().capabilities.activity) context.skip('this runtime cannot tell')
    })

    test('grows by the time a run computes, and no faster', async () => {
      const { handle } = await startedRun('computes-for-ever')
      const before = await until(() => totalsOf(handle))
      const beganMs = performance.now()
      const after = await untilComputed(handle, COMPUTED_MS)
      expect(after.cpuMs - before.cpuMs).toBeLessThan(performance.now() - beganMs + GRAIN_MS)
      expect(after.processes).toBeGreaterThan(0)
    })

    test('stays nearly as it is while a run rests', async () => {
      const resting = await startedRun('rests')
      const computing = await startedRun('computes-for-ever')
      const before = await until(() => totalsOf(resting.handle))
      await untilComputed(computing.handle, COMPUTED_MS)
      const after = await totalsOf(resting.handle)
      expect(after.cpuMs - before.cpuMs).toBeLessThan(STILL.cpuMs)
      expect(after.ioBytes - before.ioBytes).toBeLessThan(STILL.ioBytes)
    })

    test('has in it what a run writes to its disk', async (context) => {
      const { spec, handle } = await startedRun('writes-a-lot')
      if (MEMORY_TYPES.has((await statfs(spec.workDir)).type)) context.skip('the workspace is in memory')
      const { ioBytes } = await until(() => totalsOf(handle))
      expect(ioBytes).toBeGreaterThanOrEqual(8 * MIB)
      expect(ioBytes).toBeLessThan(80 * MIB)
    })

    test('never goes back, and keeps what a child has used that has ended', async () => {
      const { spec, handle } = await startedRun('burns-in-a-child')
      const seen: ActivityTotals[] = []
      const note = async () => seen.push(await totalsOf(handle))
      await until(note)
      const times = await until(async () => {
        await note()
        return parseTimes(await readFile(join(spec.outDir, 'times'), 'utf8'))
      })
      const last = await totalsOf(handle)
      for (const [index, totals] of [...seen, last].entries()) {
        const before = seen[index - 1] ?? totals
        expect(totals.cpuMs).toBeGreaterThanOrEqual(before.cpuMs)
        expect(totals.ioBytes).toBeGreaterThanOrEqual(before.ioBytes)
      }
      expect(last.cpuMs).toBeGreaterThan(times - GRAIN_MS)
      expect(last.cpuMs).toBeLessThan(times + 4 * GRAIN_MS)
    })

    test('has in it what a child uses that has left its group', async () => {
      const { handle } = await startedRun('computes-in-hiding')
      const { processes } = await untilComputed(handle, COMPUTED_MS)
      expect(processes).toBeGreaterThan(1)
    })

    test('is told of a run found again after a restart of the host', async () => {
      const { handle } = await startedRun('computes-for-ever')
      const known = await untilComputed(handle, COMPUTED_MS)
      const reopened = reopen()
      const { cpuMs } = await until(() => totalsOf(handle, reopened))
      expect(cpuMs).toBeGreaterThanOrEqual(known.cpuMs)
    })

    test('is told of each run that was asked for, and of no other', async () => {
      const [first, second] = [await startedRun('rests'), await startedRun('rests')]
      const ids = (handles: readonly RunHandle[]) =>
        until(async () => {
          const told = [...(await runtime().sample(handles)).keys()]
          expect(told).toHaveLength(handles.length)
          return told
        })
      expect(await ids([second.handle])).toEqual([second.handle.id])
      expect((await ids([first.handle, second.handle])).sort()).toEqual([first.handle.id, second.handle.id].sort())
      expect(await runtime().sample([])).toEqual(new Map())
    })

    test('is not told of a run that has not begun, has ended, is gone, or never was', async () => {
      const created = await create('rests')
      const { handle: ended } = await run('exits-at-once')
      const { handle: gone } = await run('exits-at-once')
      await untilSeen(runtime(), ended, 'exited')
      await untilSeen(runtime(), gone, 'exited')
      await runtime().remove(gone)
      const unknown = { runtime: runtime().name, id: 'unknown' }
      expect(await runtime().sample([created, ended, gone, unknown])).toEqual(new Map())
    })
  })
}

/** What the shell's `times` tells, all four figures together, in ms. */
function parseTimes(text: string): number {
  const figures = [...text.matchAll(/(\d+)m([\d.]+)s/g)]
  expect(figures).toHaveLength(4)
  return figures.reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000, 0)
}
