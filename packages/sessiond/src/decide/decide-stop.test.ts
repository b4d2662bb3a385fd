import { describe, expect, it } from 'vitest'
import { decideStop } from './decide-stop.ts'

const policy = { stopGraceMs: 10_000, killWaitMs: 5_000 }

describe('decideStop', () => {
  it.each([
    [
      { sinceIntentMs: 0, sinceKillMs: null, sent: 'SIGTERM' },
      { action: 'wait', recheckInMs: 10_000 },
    ],
    [
      { sinceIntentMs: 9_999, sinceKillMs: null, sent: 'SIGTERM' },
      { action: 'wait', recheckInMs: 1 },
    ],
    [{ sinceIntentMs: 10_000, sinceKillMs: null, sent: 'SIGTERM' }, { action: 'kill' }],
    [
      { sinceIntentMs: 99_999, sinceKillMs: 4_999, sent: 'SIGKILL' },
      { action: 'wait', recheckInMs: 1 },
    ],
    [{ sinceIntentMs: 99_999, sinceKillMs: 5_000, sent: 'SIGKILL' }, { action: 'quarantine' }],
    // A host that died after it recorded the intent may not have sent the signal.
    [{ sinceIntentMs: 9_999, sinceKillMs: null, sent: null }, { action: 'ask' }],
    [{ sinceIntentMs: 10_000, sinceKillMs: null, sent: null }, { action: 'kill' }],
    [{ sinceIntentMs: 0, sinceKillMs: 0, sent: null }, { action: 'kill' }],
    [{ sinceIntentMs: 0, sinceKillMs: 4_999, sent: 'SIGTERM' }, { action: 'kill' }],
    // A runtime that refuses every signal ends in quarantine all the same (D2).
    [{ sinceIntentMs: 99_999, sinceKillMs: 5_000, sent: 'SIGTERM' }, { action: 'quarantine' }],
  ] as const)('%o: %o', (progress, expected) => {
    expect(decideStop(progress, policy)).toEqual(expected)
  })
})
