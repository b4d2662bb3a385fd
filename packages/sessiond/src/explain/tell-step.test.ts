import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ACCOUNT_STATES } from '../model/account.ts'
import { RUN_ENDS } from '../model/run.ts'
import { type Step, type StepProspects, tellStep } from './tell-step.ts'

const NOW_MS = Date.UTC(2030, 0, 31, 9)
const LATER_MS = NOW_MS + 90_000

const prospects: StepProspects = {
  nowMs: NOW_MS,
  heldBack: null,
  nextDueAtMs: null,
  spawnNotBeforeMs: 0,
  spawnFailures: 0,
  lastSpawnError: null,
}

function told(
  action: string,
  because: string,
  changes: Partial<Step> = {},
  known: Partial<StepProspects> = {},
): string {
  const step = { sessionId: 'g/main', epoch: 7, action, because, evidence: {}, ...changes }
  return tellStep(step, { ...prospects, ...known })
}

/** Every action with its reason that the decision's own source names, stops aside. */
function knownSteps(): [action: string, because: string][] {
  const source = readFileSync(new URL('../decide/decide-session.ts', import.meta.url), 'utf8')
  const left = [...source.matchAll(/leave\('([a-z-]+)'/g)].map(([, because = '']): [string, string] => [
    'leave',
    because,
  ])
  const others = [...source.matchAll(/action: '([a-z-]+)', because: ([^}\n]+)/g)].flatMap(
    ([, action = '', words = '']) => {
      return [...words.matchAll(/'([a-z-]+)'/g)].map(([, because = '']): [string, string] => [action, because])
    },
  )
  const accounts = ACCOUNT_STATES.map((state): [string, string] => ['leave', `account-${state}`])
  return [...left, ...others, ...accounts]
}

describe('tellStep', () => {
  it('has plain words of its own for every step that can be decided', () => {
    const steps = knownSteps()
    expect(steps.length).toBeGreaterThan(25)
    for (const [action, because] of steps) {
      const words = told(action, because)
      expect(words, `${action} ${because}`).toMatch(/^Next: .+\.$/)
      expect(words, `${action} ${because}`).not.toContain('looks at session')
      expect(words).not.toContain(`(${because})`)
    }
  })

  it.each(RUN_ENDS)('says why a run is asked to end: %s', (end) => {
    const words = told('stop', end, { evidence: { silentForMs: 50_000, limitMs: 45_000 } })
    expect(words).toMatch(/^Next: run 7 of g\/main is asked to end: .+\.$/)
    expect(words).not.toContain(`(${end})`)
  })

  it.each<[string, string, Partial<Step>, Partial<StepProspects>, string]>([
    ['leave', 'nothing-due', { epoch: null }, {}, 'nothing is due in session g/main'],
    [
      'leave',
      'nothing-due',
      { epoch: null },
      { nextDueAtMs: LATER_MS },
      'nothing is due in session g/main; its next message is due at 2030-01-31 09:01:30 UTC',
    ],
    [
      'leave',
      'account-parked',
      { epoch: null },
      { heldBack: { account: 'team', state: 'parked', parkedUntilMs: LATER_MS, due: 2, reason: 'outage' } },
      'what is due in session g/main is held back: account team is parked until 2030-01-31 09:01:30 UTC because of an outage of its provider',
    ],
    [
      'leave',
      'spawn-back-off',
      { epoch: null },
      { spawnNotBeforeMs: LATER_MS, spawnFailures: 2, lastSpawnError: 'no image' },
      'session g/main gets no run before 2030-01-31 09:01:30 UTC, for its last 2 starts failed: "no image"',
    ],
    [
      'leave',
      'idle',
      {},
      { nextDueAtMs: LATER_MS },
      'run 7 of g/main has nothing to do and is kept for a while; its next message is due at 2030-01-31 09:01:30 UTC',
    ],
    [
      'leave',
      'runtime-unknown: engine is away',
      {},
      {},
      'run 7 of g/main is left as it is and asked about again soon, for its runtime cannot say how it is: "engine is away"',
    ],
    [
      'leave',
      'group-not-configured',
      { epoch: null },
      {},
      'nothing is begun in session g/main, for its group is not in the configuration',
    ],
    [
      'leave',
      'group-not-configured',
      {},
      {},
      'run 7 of g/main may end what it works on and is given no more, for its group is not in the configuration',
    ],
    [
      'stop',
      'idle',
      { evidence: { because: 'account-parked', account: 'team', state: 'parked', parkedUntilMs: LATER_MS } },
      {},
      'run 7 of g/main is asked to end: what is due to it is held back by account team, parked until 2030-01-31 09:01:30 UTC',
    ],
    [
      'stop',
      'idle',
      { evidence: { isEvicted: true } },
      {},
      'run 7 of g/main is asked to end: it has nothing to do, and others wait for its place',
    ],
    [
      'stop',
      'frozen',
      { evidence: { line: 'stuck.frozen', silentForMs: 50_000, limitMs: 45_000 } },
      {},
      'run 7 of g/main is asked to end: its loop did not turn: no beat for 50s (stuck.frozen allows 45s)',
    ],
    ['wait', 'for the moon', {}, {}, 'the host looks at session g/main again'],
  ])('says %s %s %j %j', (action, because, changes, known, words) => {
    expect(told(action, because, changes, known)).toBe(`Next: ${words}.`)
  })
})
