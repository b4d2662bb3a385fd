import { describe, expect, it } from 'vitest'
import { decideStop } from './decide-stop.ts'

const policy = { stopGraceMs: 10_000, killWaitMs: 5_000 }

describe('decideStop', () => {
  it.each([
    [
      { sinceIntentMs: 0, sinceKillMs: null },
      { action: 'wait', recheckInMs: 10_000 },
    ],
    [
      { sinceIntentMs: 9_999, sinceKillMs: null },
      { action: 'wait', recheckInMs: 1 },
    ],
    [{ sinceIntentMs: 10_000, sinceKillMs: null }, { action: 'kill' }],
    [
      { sinceIntentMs: 99_999, sinceKillMs: 4_999 },
      { action: 'wait', recheckInMs: 1 },
    ],
    [{ sinceIntentMs: 99_999, sinceKillMs: 5_000 }, { action: 'quarantine' }],
  ])('%o: %o', (progress, expected) => {
    expect(decideStop(progress, policy)).toEqual(expected)
  })
})
