import type { OpenTool } from '@sessiond/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_STUCK } from '../config/default-stuck.ts'
import { decideLiveness } from '../decide/decide-liveness.ts'
import type { SeenState } from '../mailbox/mailbox.ts'
import type { Message } from '../model/message.ts'
import { RunWatch } from './run-watch.ts'

const RUN = { sessionId: 'g/s', epoch: 7, name: 'g-s-7' }
const BASH: OpenTool = { id: 1, name: 'Bash', timeoutMs: null, expectedMs: null, isBackground: false, renewals: 0 }
const HOUR_MS = 3_600_000

function state(tools: readonly OpenTool[]): SeenState {
  const unused = { toolDeclaredTimeoutMs: null, toolExpectedMs: null, toolStartedAtMs: null }
  return { ...unused, tool: tools[0]?.name ?? null, progressSeq: 1, openWork: { tools, wait: null } }
}

function atWork(): RunWatch {
  const watch = new RunWatch(RUN, 0)
  watch.noteHeartbeat(1, 0)
  watch.noteState(state([BASH]), 0)
  const claimed = [{ id: 'm', tries: 0, cancelRequestedAtMs: null } as Message]
  watch.noteFacts({ claimed, projectedUnclaimed: 0, dueUnprojected: 0 }, 0)
  return watch
}

const verdict = (watch: RunWatch, atMs: number) => decideLiveness(watch.liveness(atMs, 'running'), DEFAULT_STUCK)

describe('a watched run', () => {
  it('keeps its clocks apart as soon as it says what it has open', () => {
    const watch = new RunWatch(RUN, 0)
    expect(watch.keepsClocks).toBe(false)
    watch.noteState({ ...state([]), openWork: null }, 0)
    expect(watch.keepsClocks).toBe(false)
    watch.noteState(state([]), 0)
    expect(watch.keepsClocks).toBe(true)
  })

  it('(A13) is not judged by eight hours in which its host slept, and is found if it does not wake', () => {
    const watch = atWork()
    const wokenAtMs = 10_000 + 8 * HOUR_MS
    watch.noteStall(8 * HOUR_MS, wokenAtMs)
    expect(verdict(watch, wokenAtMs)).toMatchObject({ verdict: 'leave' })
    expect(verdict(watch, wokenAtMs + 45_000)).toMatchObject({ verdict: 'leave' })
    expect(verdict(watch, wokenAtMs + 45_001)).toMatchObject({ verdict: 'stop', reason: 'frozen' })
  })

  it('(A14) is not judged by a stall of its host, and is found though the host stalls again and again', () => {
    const watch = atWork()
    let nowMs = 0
    let awakeMs = 0
    while (verdict(watch, nowMs).verdict === 'leave' && awakeMs < HOUR_MS) {
      nowMs += 6_000 + 5_000
      awakeMs += 6_000
      watch.noteStall(5_000, nowMs)
    }
    expect(verdict(watch, nowMs)).toMatchObject({ reason: 'frozen' })
    expect(awakeMs).toBeLessThanOrEqual(45_000 + 6_000)
  })

  it('(A14) looks no younger for what was noted on waking, before the stall was known', () => {
    const watch = atWork()
    watch.noteHeartbeat(2, 8 * HOUR_MS)
    watch.noteStall(8 * HOUR_MS, 8 * HOUR_MS)
    expect(watch.liveness(8 * HOUR_MS, 'running').beatAgeMs).toBe(0)
  })

  it('(A14) is not called deaf for time in which its host stood still', () => {
    const watch = new RunWatch(RUN, 0)
    watch.noteFacts({ claimed: [], projectedUnclaimed: 1, dueUnprojected: 0 }, 0)
    for (let stall = 1; stall <= 5; stall += 1) watch.noteStall(28_000, stall * 28_000)
    expect(watch.liveness(140_000, 'running').unheededForMs).toBe(0)
  })

  it('gets its windows anew when the runtime can tell of it again: it may have been held up with it', () => {
    const watch = atWork()
    watch.noteAlive(1, 0)
    watch.noteUnknown()
    watch.noteAlive(1, 600_000)
    expect(verdict(watch, 600_000 + 45_000)).toMatchObject({ verdict: 'leave' })
    expect(verdict(watch, 600_000 + 45_001)).toMatchObject({ reason: 'frozen' })
  })

  it('is recorded, stalls included', () => {
    const watch = atWork()
    watch.noteStall(40_000, 50_000)
    expect(watch.recording().map(({ kind }) => kind)).toEqual([
      'beat',
      'progress',
      'tool-start',
      'claim',
      'host-suspend',
    ])
  })

  it('is sampled only while it has work in hand', () => {
    const watch = atWork()
    expect(watch.sampled()).toBeNull()
    watch.noteHandle({ runtime: 'process', id: '1:1' })
    expect(watch.sampled()).toEqual({ name: 'g-s-7', handle: { runtime: 'process', id: '1:1' } })
    watch.noteFacts({ claimed: [], projectedUnclaimed: 0, dueUnprojected: 0 }, 1)
    expect(watch.sampled()).toBeNull()
  })
})
