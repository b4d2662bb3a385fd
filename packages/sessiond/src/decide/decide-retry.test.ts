import { describe, expect, it } from 'vitest'
import type { RunEnd, RunExit } from '../model/run.ts'
import { decideRetry, MAX_FREE_ATTEMPTS, MAX_OUTSIDE_STOPS, type Mishap } from './decide-retry.ts'
import { MAX_ALONE } from './decide-trouble.ts'

const policy = { maxTries: 5, baseMs: 5_000, maxMs: 3_600_000, jitter: 'none', maxDeferMs: 86_400_000 } as const
const now = 1_000_000
const fresh = { tries: 0, attempt: 1, answered: false, cancelRequestedAtMs: null, troubles: null }

function runEnded(end: RunEnd, isExcused = false): Mishap {
  return {
    kind: 'run-ended',
    end,
    exit: { code: 1, signal: null, oomKilled: false },
    isExcused,
    tool: null,
    sharedStall: null,
  }
}

function failed(retryAtMs: number | null = null): Mishap {
  return { kind: 'agent-failed', error: 'boom', retryAtMs, trouble: null, answers: 0 }
}

describe('decideRetry', () => {
  it.each([
    ['exited', true],
    ['claim-silent', true],
    ['ceiling', true],
    ['idle', false],
    ['operator-stop', false],
    ['cancel', false],
    ['host-shutdown', false],
    ['spawn-failed', false],
    ['superseded', false],
  ] as const)('after a run ended by %s, spends a try: %s', (end, spendsTry) => {
    const decision = decideRetry(fresh, runEnded(end), policy, now, 0)
    expect(decision).toMatchObject({ action: 'retry', spendsTry, atMs: spendsTry ? now + 5_000 : now, because: end })
  })

  it('(B16, invariant 5) spends no try when the host or the runtime was away as the run ended', () => {
    expect(decideRetry(fresh, runEnded('exited', true), policy, now, 0)).toMatchObject({ spendsTry: false, atMs: now })
  })

  describe('a run that nobody here asked to end', () => {
    const ended = (exit: Partial<RunExit>, end: RunEnd = 'exited'): Mishap => {
      return {
        kind: 'run-ended',
        end,
        exit: { code: null, signal: null, oomKilled: false, ...exit },
        isExcused: false,
        tool: null,
        sharedStall: null,
      }
    }

    it.each<[Partial<RunExit>, boolean]>([
      [{ code: 0 }, false],
      [{ code: 143 }, false],
      [{ signal: 'SIGTERM' }, false],
      [{ code: 1 }, true],
      [{ code: 137 }, true],
      [{ signal: 'SIGKILL' }, true],
      [{ code: 143, oomKilled: true }, true],
      [{}, true],
    ])('(invariant 5) and ended with %o spends a try: %s', (exit, spendsTry) => {
      const because = spendsTry ? 'exited' : 'stopped-from-outside'
      expect(decideRetry(fresh, ended(exit), policy, now, 0)).toMatchObject({ spendsTry, because, atMs: now + 5_000 })
    })

    it.each([
      [0, MAX_OUTSIDE_STOPS, false],
      [0, MAX_OUTSIDE_STOPS + 1, true],
      [2, MAX_OUTSIDE_STOPS + 2, false],
      [2, MAX_OUTSIDE_STOPS + 3, true],
    ])('(G7) with %i tries spent, at attempt %i, spends a try: %s', (tries, attempt, spendsTry) => {
      const decision = decideRetry({ ...fresh, tries, attempt }, ended({ code: 0 }), policy, now, 0)
      expect(decision).toMatchObject({ spendsTry })
    })
  })

  it.each([
    [0, { action: 'retry', atMs: now + 5_000 }],
    [1, { action: 'retry', atMs: now + 10_000 }],
    [2, { action: 'retry', atMs: now + 20_000 }],
    [3, { action: 'retry', atMs: now + 40_000 }],
    [4, { action: 'give-up', failure: 'TRIES_EXHAUSTED', spendsTry: true }],
    [5, { action: 'give-up', failure: 'TRIES_EXHAUSTED', spendsTry: true }],
  ])('with %i tries spent before, answers a failure with %o', (tries, expected) => {
    expect(decideRetry({ ...fresh, tries }, failed(), policy, now, 0)).toMatchObject(expected)
  })

  it('(B1) never completes what the agent reported as failed, even after a reply', () => {
    expect(decideRetry({ ...fresh, answered: true }, failed(), policy, now, 0)).toMatchObject({ action: 'retry' })
  })

  it('(B3) completes a message that was answered before its run died', () => {
    expect(decideRetry({ ...fresh, answered: true }, runEnded('exited'), policy, now, 0)).toEqual({
      action: 'complete',
    })
  })

  it.each([
    ['in the past', now - 1, now + 5_000],
    ['just below the least wait', now + 4_999, now + 5_000],
    ['at the least wait', now + 5_000, now + 5_000],
    ['as asked', now + 3_600_000, now + 3_600_000],
    ['at the horizon', now + 86_400_000, now + 86_400_000],
    ['beyond the horizon', now + 86_400_001, now + 86_400_000],
  ])('(B16) honours retry_at %s without spending a try', (_, retryAtMs, atMs) => {
    const last = { ...fresh, tries: 4 }
    expect(decideRetry(last, failed(retryAtMs), policy, now, 0)).toMatchObject({
      action: 'retry',
      spendsTry: false,
      atMs,
    })
  })

  describe('(B16, D21) the provider’s trouble', () => {
    const troubled = (retryAtMs: number | null, answers = 0): Mishap => {
      return { kind: 'agent-failed', error: '429', retryAtMs, trouble: 'rate-limit', answers }
    }

    it.each<[string, number | null]>([
      ['no reset', null],
      ['a reset', now + 3_600_000],
      ['a reset gone by', now - 1],
    ])('with %s spends no try, also the last, and is passed on as it was told', (_, resetAtMs) => {
      expect(decideRetry({ ...fresh, tries: 4 }, troubled(resetAtMs), policy, now, 0)).toMatchObject({
        action: 'retry',
        spendsTry: false,
        isSuspect: false,
        because: 'rate-limit',
        trouble: { kind: 'rate-limit', resetAtMs, isAlone: false },
        troubles: { sinceMs: now, answers: 0, alone: 0 },
      })
    })

    it('spends a try of the message that meets it alone again and again, and then parks nobody', () => {
      const alone = { ...fresh, attempt: 5, troubles: { sinceMs: 0, answers: 6, alone: MAX_ALONE } }
      const decision = decideRetry(alone, troubled(null, 7), policy, now, 0)
      expect(decision).toMatchObject({
        action: 'retry',
        spendsTry: true,
        trouble: { isAlone: true },
        troubles: { answers: 7, alone: MAX_ALONE + 1 },
      })
    })
  })

  describe('(D21) a stall that others of its account shared', () => {
    const stalled = (end: RunEnd): Mishap => {
      const exit = { code: 1, signal: null, oomKilled: false }
      return { kind: 'run-ended', end, exit, isExcused: false, tool: null, sharedStall: { answers: 3 } }
    }

    it('is an outage of what they share', () => {
      expect(decideRetry({ ...fresh, tries: 4 }, stalled('silent'), policy, now, 0)).toMatchObject({
        action: 'retry',
        spendsTry: false,
        because: 'outage',
        trouble: { kind: 'outage', resetAtMs: null, isAlone: false },
        troubles: { sinceMs: now, answers: 3, alone: 0 },
      })
    })

    it.each(['exited', 'frozen', 'tool-overdue', 'claim-silent', 'ceiling'] as const)(
      'is none when the run ended by %s',
      (end) => {
        expect(decideRetry(fresh, stalled(end), policy, now, 0)).toMatchObject({ spendsTry: true, because: end })
      },
    )

    it('spends a try of the message that stalls though others were answered in between', () => {
      const alone = { ...fresh, attempt: 5, troubles: { sinceMs: 0, answers: 2, alone: MAX_ALONE } }
      expect(decideRetry(alone, stalled('silent'), policy, now, 0)).toMatchObject({
        spendsTry: true,
        because: 'silent',
      })
    })
  })

  it.each([
    [MAX_FREE_ATTEMPTS, false],
    [MAX_FREE_ATTEMPTS + 1, true],
  ])('(G7) a message postponed by its agent at attempt %i spends a try: %s', (attempt, spendsTry) => {
    expect(decideRetry({ ...fresh, attempt }, failed(now), policy, now, 0)).toMatchObject({ spendsTry })
  })

  it('ends a cancelled message as cancelled, whatever its run did, spending nothing', () => {
    const cancelled = { ...fresh, cancelRequestedAtMs: now - 1 }
    for (const mishap of [failed(), runEnded('exited'), runEnded('operator-stop')]) {
      const decision = decideRetry(cancelled, mishap, policy, now, 0)
      expect(decision).toMatchObject({ action: 'give-up', failure: 'CANCELLED', spendsTry: false })
    }
  })

  it('ends what a closed session still held as SESSION_CLOSED', () => {
    const decision = decideRetry(fresh, runEnded('session-closed'), policy, now, 0)
    expect(decision).toMatchObject({ action: 'give-up', failure: 'SESSION_CLOSED', spendsTry: false })
  })

  it('(D15) says out of memory apart from a kill of ours', () => {
    const oom: Mishap = {
      kind: 'run-ended',
      end: 'exited',
      isExcused: false,
      tool: null,
      sharedStall: null,
      exit: { code: 137, signal: null, oomKilled: true },
    }
    expect(decideRetry(fresh, oom, policy, now, 0)).toMatchObject({ error: 'the run ended by itself (out of memory)' })
  })

  it('says which tool was in flight', () => {
    const hung: Mishap = {
      kind: 'run-ended',
      end: 'tool-overdue',
      exit: null,
      isExcused: false,
      tool: 'Bash',
      sharedStall: null,
    }
    expect(decideRetry(fresh, hung, policy, now, 0)).toMatchObject({
      error: 'the run was stopped: a tool hung, while Bash ran',
    })
  })
})
