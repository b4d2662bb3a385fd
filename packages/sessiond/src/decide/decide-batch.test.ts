import { describe, expect, it } from 'vitest'
import type { RunExit } from '../model/run.ts'
import { decideBatch } from './decide-batch.ts'
import type { Mishap } from './decide-retry.ts'

const policy = { maxTries: 5, baseMs: 5_000, maxMs: 3_600_000, jitter: 'none', maxDeferMs: 86_400_000 } as const
const now = 1_000_000
const exit: RunExit = { code: null, signal: 'SIGKILL', oomKilled: false }
const crash = {
  kind: 'run-ended',
  end: 'exited',
  exit,
  isExcused: false,
  tool: null,
  sharedStall: null,
} as const satisfies Mishap
const failure = {
  kind: 'agent-failed',
  error: 'boom',
  retryAtMs: null,
  trouble: null,
  answers: 0,
} as const satisfies Mishap

function message(id: string, tries = 0, changes: { trigger?: boolean; answered?: boolean } = {}) {
  return {
    id,
    tries,
    attempt: tries + 1,
    trigger: true,
    answered: false,
    cancelRequestedAtMs: null,
    troubles: null,
    ...changes,
  }
}

/** `retry` or `retry alone` or `give-up`, with the tries it has then spent. */
function after(messages: readonly ReturnType<typeof message>[], mishap: Mishap = crash, maxTries = 5) {
  const decisions = decideBatch(messages, mishap, { ...policy, maxTries }, now, 0)
  return messages.map(({ id, tries }) => {
    const decision = decisions.get(id)
    if (decision === undefined || decision.action === 'complete') return `${id} ${decision?.action}`
    const alone = decision.action === 'retry' && decision.isSuspect ? ' alone' : ''
    return `${id} ${decision.action}${alone} ${tries + (decision.spendsTry ? 1 : 0)}`
  })
}

describe.each([
  ['a crash', crash],
  ['a common failure', failure],
])('decideBatch after %s', (_, mishap) => {
  it.each([
    ['one, for the first time', ['a'], 0, 5, ['a retry 1']],
    ['one, for the second time', ['a'], 1, 5, ['a retry alone 2']],
    ['one, before its last try', ['a'], 3, 5, ['a retry alone 4']],
    ['one, at its last try', ['a'], 4, 5, ['a give-up 5']],
    ['two, for the first time', ['a', 'b'], 0, 5, ['a retry 1', 'b retry 1']],
    ['two, for the second time', ['a', 'b'], 1, 5, ['a retry alone 2', 'b retry alone 2']],
    ['two, whose tries would be over', ['a', 'b'], 4, 5, ['a retry alone 5', 'b retry alone 5']],
    ['two that have one try each', ['a', 'b'], 0, 1, ['a retry alone 1', 'b retry alone 1']],
    ['one that had one try and spent it beside another', ['a'], 1, 1, ['a give-up 2']],
    ['two that have two tries each, for the second time', ['a', 'b'], 1, 2, ['a retry alone 2', 'b retry alone 2']],
  ])('of %s', (_, ids, tries, maxTries, expected) => {
    const messages = ids.map((id) => message(id, tries))
    expect(after(messages, mishap, maxTries)).toEqual(expected)
  })

  it('suspects nobody who died for the first time, beside those who did not', () => {
    expect(after([message('a', 1), message('b', 0)], mishap)).toEqual(['a retry alone 2', 'b retry 1'])
  })

  it('brings what died together back together, after the wait of the one that died most', () => {
    const decisions = decideBatch([message('a', 1), message('b', 0)], mishap, policy, now, 0)
    expect([...decisions.values()]).toMatchObject([{ atMs: now + 10_000 }, { atMs: now + 10_000 }])
  })

  it('lets context go along with its trigger, suspecting it never', () => {
    const context = message('c', 1, { trigger: false })
    expect(after([context, message('a', 1)], mishap)).toEqual(['c retry 2', 'a retry alone 2'])
    expect(after([message('c', 4, { trigger: false }), message('a', 1)], mishap)).toEqual([
      'c give-up 5',
      'a retry alone 2',
    ])
  })

  it('gives context up beside no other trigger, and in no death that ended one', () => {
    const context = message('c', 4, { trigger: false })
    expect(after([context, message('a'), message('b')], mishap)).toEqual(['c retry 5', 'a retry 1', 'b retry 1'])
    expect(after([context, message('a', 4)], mishap)).toEqual(['c retry 4', 'a give-up 5'])
  })
})

describe('decideBatch', () => {
  it('(B3) completes what was answered, which still counts among those the run had in hand', () => {
    const answered = message('a', 0, { answered: true })
    expect(after([answered, message('b', 4)])).toEqual(['a complete', 'b retry alone 5'])
  })

  it('(invariant 5) suspects nobody of a death that is no message’s fault', () => {
    const messages = [message('a', 1), message('b', 1)]
    expect(after(messages, { ...crash, isExcused: true })).toEqual(['a retry 1', 'b retry 1'])
    expect(after(messages, { ...crash, end: 'host-shutdown' })).toEqual(['a retry 1', 'b retry 1'])
    expect(after(messages, { ...failure, retryAtMs: now })).toEqual(['a retry 1', 'b retry 1'])
  })

  it('answers for none of none', () => {
    expect(decideBatch([], crash, policy, now, 0).size).toBe(0)
  })
})
