import { describe, expect, it } from 'vitest'
import { DEFAULT_STUCK } from '../config/default-stuck.ts'
import { decideLiveness, type LivenessObservation, type ToolClock, type WaitClock } from './decide-liveness.ts'

const HOUR_MS = 3_600_000

/** A run at work whose clocks all moved just now. */
const fresh: LivenessObservation = {
  seen: 'running',
  watchedForMs: 1_000 * HOUR_MS,
  beatAgeMs: 0,
  progressAgeMs: 0,
  activityAgeMs: 0,
  claims: [{ messageId: 'm-1', ageMs: 5 * HOUR_MS }],
  tools: [],
  wait: null,
  tries: 0,
  unheededForMs: null,
  idleForMs: null,
}

const still: LivenessObservation = { ...fresh, progressAgeMs: 1_000 * HOUR_MS, activityAgeMs: 1_000 * HOUR_MS }

function tool(about: Partial<ToolClock> = {}): ToolClock {
  return { name: 'Bash', ageMs: 5 * HOUR_MS, timeoutMs: null, expectedMs: null, isBackground: false, ...about }
}

function wait(about: Partial<WaitClock> = {}): WaitClock {
  return { reason: 'request', ageMs: 1_000 * HOUR_MS, forMs: null, pingAgeMs: null, ...about }
}

function decide(about: Partial<LivenessObservation>, base = still) {
  return decideLiveness({ ...base, ...about }, DEFAULT_STUCK)
}

/** Judges at, below and above a limit: left alone up to it, stopped beyond, and looked at again exactly then. */
function expectLimit(limitMs: number, at: (ageMs: number) => Partial<LivenessObservation>, kill: object, base = still) {
  expect(decide(at(limitMs - 1), base)).toMatchObject({ verdict: 'leave', recheckInMs: 2 })
  expect(decide(at(limitMs), base)).toMatchObject({ verdict: 'leave', recheckInMs: 1 })
  expect(decide(at(limitMs + 1), base)).toMatchObject({ verdict: 'stop', ...kill })
}

describe('decideLiveness', () => {
  it('(A12) says of a run that has exited, or that nobody could ask about, just that', () => {
    expect(decide({ seen: 'exited' })).toEqual({ verdict: 'leave', reason: 'exited', recheckInMs: null })
    expect(decide({ seen: 'unknown' })).toEqual({ verdict: 'leave', reason: 'unknown', recheckInMs: null })
  })

  it('(A1, A12) calls a run that never beat never started, after its start window and no sooner', () => {
    expectLimit(300_000, (watchedForMs) => ({ beatAgeMs: null, watchedForMs, claims: [] }), {
      reason: 'never-started',
      line: 'stuck.start',
      silentForMs: 300_001,
      limitMs: 300_000,
    })
  })

  it('(A9) calls a run frozen that does not beat, whatever it computes, says or has open', () => {
    const busy = { ...fresh, tools: [tool({ timeoutMs: HOUR_MS, ageMs: 0 })] }
    expectLimit(
      45_000,
      (beatAgeMs) => ({ beatAgeMs }),
      { reason: 'frozen', line: 'stuck.frozen', messageId: 'm-1' },
      busy,
    )
  })

  it('calls an idle run frozen, too', () => {
    expectLimit(45_000, (beatAgeMs) => ({ beatAgeMs, claims: [], idleForMs: 9 }), { reason: 'frozen', messageId: null })
  })

  it('ends a run whose tool is past what it declared and its grace, though it computes', () => {
    expectLimit(110_000, (ageMs) => ({ tools: [tool({ timeoutMs: 90_000, ageMs })], activityAgeMs: 0 }), {
      reason: 'tool-overdue',
      line: 'stuck.toolGrace',
      tool: 'Bash',
      silentForMs: 20_001,
      limitMs: 20_000,
    })
  })

  it('leaves an overdue tool alone while the agent still takes steps', () => {
    const overdue = { tools: [tool({ timeoutMs: 1_000 })] }
    expect(decide({ ...overdue, progressAgeMs: 20_000 })).toMatchObject({ verdict: 'leave' })
    expect(decide({ ...overdue, progressAgeMs: 20_001 })).toMatchObject({ verdict: 'stop' })
  })

  it('(G7) believes a declared time only up to maxToolTimeout', () => {
    const limitMs = DEFAULT_STUCK.maxToolTimeoutMs + 20_000
    expectLimit(limitMs, (ageMs) => ({ tools: [tool({ timeoutMs: 1_000 * HOUR_MS, ageMs })] }), {
      reason: 'tool-overdue',
    })
  })

  it('(A10) ends a run whose tool declared nothing and neither computes nor transfers', () => {
    const kill = { reason: 'tool-overdue', line: 'stuck.toolSilent', tool: 'Bash' }
    expectLimit(270_000, (activityAgeMs) => ({ tools: [tool()], activityAgeMs }), kill)
    expectLimit(270_000, (ageMs) => ({ tools: [tool({ ageMs })] }), kill)
    expectLimit(270_000, (progressAgeMs) => ({ tools: [tool()], progressAgeMs }), kill)
  })

  it('leaves a silent tool alone that computes, up to the busy ceiling', () => {
    const line = 'stuck.busyCeiling'
    expect(decide({ tools: [tool({ ageMs: 2 * HOUR_MS })], activityAgeMs: 5_000 })).toMatchObject({ verdict: 'leave' })
    expectLimit(6 * HOUR_MS, (ageMs) => ({ tools: [tool({ ageMs })], activityAgeMs: 5_000 }), { line })
  })

  it('knows less where activity cannot be seen, and waits longer', () => {
    const blind = { ...still, activityAgeMs: null }
    expectLimit(30 * 60_000, (ageMs) => ({ tools: [tool({ ageMs })] }), { line: 'stuck.toolBlind' }, blind)
  })

  it('widens by twice what a tool is expected to take', () => {
    expectLimit(1_200_000, (ageMs) => ({ tools: [tool({ ageMs, expectedMs: 600_000 })] }), { reason: 'tool-overdue' })
  })

  it('keeps to what the configuration says of a tool by its name', () => {
    const tools = [
      { pattern: 'mcp__build__*', silentMs: 2 * HOUR_MS, busyCeilingMs: null },
      { pattern: 'Web*', silentMs: 60_000, busyCeilingMs: 120_000 },
    ]
    const policy = { ...DEFAULT_STUCK, tools }
    const verdict = (name: string, ageMs: number, activityAgeMs: number) =>
      decideLiveness({ ...still, activityAgeMs, tools: [tool({ name, ageMs })] }, policy).verdict
    expect(verdict('mcp__build__all', 2 * HOUR_MS, 2 * HOUR_MS)).toBe('leave')
    expect(verdict('WebFetch', 60_001, 60_001)).toBe('stop')
    expect(verdict('WebFetch', 60_001, 0)).toBe('leave')
    expect(verdict('WebFetch', 120_001, 0)).toBe('stop')
    expect(verdict('Bash', 60_001, 60_001)).toBe('leave')
  })

  it('takes no notice of a background tool: nobody waits for it', () => {
    const background = [tool({ isBackground: true, timeoutMs: 1 })]
    expect(decide({ tools: background, progressAgeMs: 0 })).toMatchObject({ verdict: 'leave' })
    expect(decide({ tools: background })).toMatchObject({ verdict: 'stop', reason: 'silent' })
  })

  it('lets a tool within its time excuse whatever is around and beside it', () => {
    const inner = tool({ name: 'Bash', timeoutMs: HOUR_MS, ageMs: HOUR_MS / 2 })
    expect(decide({ tools: [tool({ name: 'Task' }), inner] })).toMatchObject({ verdict: 'leave' })
    expect(decide({ tools: [tool({ name: 'Task' })], wait: wait({ ageMs: 0 }) })).toMatchObject({ verdict: 'leave' })
  })

  it('(A7) leaves a model alone that is silent for a while, and longer while its keep-alives come', () => {
    expectLimit(570_000, (ageMs) => ({ wait: wait({ ageMs }) }), {
      reason: 'silent',
      line: 'stuck.modelSilent',
      wait: 'request',
    })
    expectLimit(1_800_000, (ageMs) => ({ wait: wait({ reason: 'stream', ageMs, pingAgeMs: 10_000 }) }), {
      line: 'stuck.modelPinging',
    })
    expectLimit(570_000, (pingAgeMs) => ({ wait: wait({ reason: 'stream', ageMs: 1_700_000, pingAgeMs }) }), {
      line: 'stuck.modelSilent',
    })
  })

  it("(B16) leaves a run alone until its provider's limit ends, and then as long as any question", () => {
    const held = (ageMs: number) => ({ wait: wait({ reason: 'rate-limit', forMs: 5 * HOUR_MS, ageMs }) })
    expectLimit(5 * HOUR_MS + 570_000, held, { reason: 'silent', wait: 'rate-limit' })
  })

  it('(G7) believes a limit only up to maxWait', () => {
    const held = (ageMs: number) => ({ wait: wait({ reason: 'rate-limit', forMs: 100 * HOUR_MS, ageMs }) })
    expectLimit(DEFAULT_STUCK.maxWaitMs + 570_000, held, { reason: 'silent' })
  })

  it('ends a run that has a claim, nothing open, and of which nothing moves', () => {
    expectLimit(90_000, (progressAgeMs) => ({ progressAgeMs }), { reason: 'silent', line: 'stuck.silent', tool: null })
    expectLimit(90_000, (activityAgeMs) => ({ activityAgeMs }), { reason: 'silent', line: 'stuck.silent' })
    expectLimit(90_000, (ageMs) => ({ claims: [{ messageId: 'm-2', ageMs }] }), { messageId: 'm-2' })
  })

  it('(A4, A14) counts no age for more than it has been watched', () => {
    expectLimit(90_000, (watchedForMs) => ({ watchedForMs }), { reason: 'silent' })
    expectLimit(45_000, (watchedForMs) => ({ watchedForMs, beatAgeMs: HOUR_MS }), { reason: 'frozen' })
  })

  it('(A13) never takes a clock that lies ahead for a stale one', () => {
    expect(decide({ beatAgeMs: -86_400_000, progressAgeMs: -86_400_000 })).toMatchObject({ verdict: 'leave' })
  })

  it('does not excuse for ever whoever asks, or is held off, again and again', () => {
    const limitMs = DEFAULT_STUCK.maxWaitMs + 1_800_000
    const old = { ...still, claims: [{ messageId: 'm-1', ageMs: 1_000 * HOUR_MS }] }
    for (const reason of ['request', 'stream', 'retry', 'rate-limit'] as const) {
      const again = (progressAgeMs: number) => ({ progressAgeMs, wait: wait({ reason, ageMs: 0, forMs: HOUR_MS }) })
      expect(decide(again(limitMs), old)).toMatchObject({ verdict: 'leave' })
      expect(decide(again(limitMs + 1), old)).toMatchObject({ reason: 'silent', line: 'stuck.maxWait' })
    }
    const fresh = { claims: [{ messageId: 'm-1', ageMs: 5_000 }], wait: wait({ ageMs: 0 }) }
    expect(decide(fresh), 'what was before this message is nothing to it').toMatchObject({ verdict: 'leave' })
  })

  it('lets a handler that says nothing wait as long as for a model, and compute as long as a tool', () => {
    const quiet = (ageMs: number) => ({ wait: wait({ reason: 'agent', ageMs }) })
    expectLimit(570_000, quiet, { reason: 'silent', line: 'stuck.modelSilent', wait: 'agent' })
    const busy = (ageMs: number) => ({ ...quiet(ageMs), activityAgeMs: 5_000 })
    expectLimit(
      6 * HOUR_MS,
      busy,
      { line: 'stuck.busyCeiling' },
      { ...still, claims: [{ messageId: 'm', ageMs: 9 * HOUR_MS }] },
    )
    const unseen = (ageMs: number) => ({ ...quiet(ageMs), activityAgeMs: null })
    expectLimit(1_800_000, unseen, { line: 'stuck.toolBlind' })
  })

  it('(A8) does not repeat the same kill at the same limit: each try is given more time, up to three times as much', () => {
    for (const [tries, times] of [
      [1, 2],
      [2, 3],
      [9, 3],
    ] as const) {
      const again = { ...still, tries }
      const limit = (ms: number, at: Parameters<typeof expectLimit>[1]) => expectLimit(ms * times, at, {}, again)
      limit(90_000, (progressAgeMs) => ({ progressAgeMs }))
      limit(270_000, (ageMs) => ({ tools: [tool({ ageMs })] }))
      limit(570_000, (ageMs) => ({ wait: wait({ ageMs }) }))
    }
  })

  it('calls a run deaf that beats and leaves its due messages where they are', () => {
    const idle = { ...still, claims: [], idleForMs: null }
    expectLimit(120_000, (unheededForMs) => ({ unheededForMs }), { reason: 'deaf', line: 'stuck.deaf' }, idle)
  })

  it('lets a run be idle that has nothing to do', () => {
    expect(decide({ claims: [], idleForMs: 5 })).toMatchObject({ verdict: 'leave', reason: 'idle' })
  })
})
