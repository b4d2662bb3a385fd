import { describe, expect, it } from 'vitest'
import type { Message } from '../model/message.ts'
import type { HeldBack } from './tell-account.ts'
import { tellMessage } from './tell-message.ts'

const NOW_MS = Date.UTC(2030, 0, 31, 9)
const LATER_MS = NOW_MS + 90_000

const message: Message = {
  id: 'm1',
  sessionId: 'shell/main',
  group: 'shell',
  kind: 'chat',
  content: '{"text":"x"}',
  processAfterMs: NOW_MS,
  trigger: true,
  onWake: false,
  address: { platformId: null, channelType: null, threadId: null },
  sourceSessionId: null,
  seriesId: null,
  seq: 2,
  status: 'pending',
  createdAtMs: NOW_MS,
  tries: 0,
  attempt: 0,
  projectedEpoch: null,
  claimEpoch: null,
  claimedAtMs: null,
  cancelRequestedAtMs: null,
  endedAtMs: null,
  failure: null,
  error: null,
  answered: false,
  deadLetter: false,
  isSuspect: false,
  troubles: null,
}

const parked: HeldBack = { account: 'team', state: 'parked', parkedUntilMs: LATER_MS, due: 1, reason: 'rate-limit' }

function told(changes: Partial<Message>, heldBack: HeldBack | null = null): string {
  return tellMessage({ ...message, ...changes }, [], { maxTries: 3, heldBack, nowMs: NOW_MS }).join(' ')
}

describe('tellMessage', () => {
  it.each<[string, Partial<Message>, string]>([
    ['that is due', {}, 'It is due, and waits for a run; 3 of 3 tries are left.'],
    [
      'that is not due yet',
      { processAfterMs: LATER_MS, tries: 2 },
      'It waits until 2030-01-31 09:01:30 UTC; 1 of 3 tries is left.',
    ],
    [
      'in a mailbox',
      { projectedEpoch: 4 },
      'It lies in the mailbox of run 4, which has not taken it yet; 3 of 3 tries are left.',
    ],
    ['at work', { status: 'claimed', claimEpoch: 4, tries: 1 }, 'Run 4 works on it; 2 of 3 tries are left.'],
    [
      'that is context',
      { trigger: false },
      'It is context: it goes along with the next message that asks for something.',
    ],
    ['that is done', { status: 'completed' }, 'Nothing more will happen: it is done.'],
    ['that is dead', { status: 'failed', deadLetter: true }, 'Nothing will happen until someone replays or drops it.'],
  ])('says what becomes of a message %s', (_, changes, words) => {
    expect(told(changes)).toBe(words)
  })

  it.each<[Partial<HeldBack>, string]>([
    [{}, 'account team is parked until 2030-01-31 09:01:30 UTC because of a rate limit'],
    [{ reason: 'outage' }, 'account team is parked until 2030-01-31 09:01:30 UTC because of an outage of its provider'],
    [
      { parkedUntilMs: NOW_MS - 1_000 },
      'account team was parked until 2030-01-31 08:59:59 UTC because of a rate limit, and one session has to try it first',
    ],
    [
      { state: 'probing' },
      'account team had been parked because of a rate limit, and another session tries whether its provider answers again',
    ],
    [
      { state: 'ramping', reason: null },
      'account team had been parked because of trouble with its provider, and lets its sessions work again a few at a time',
    ],
  ])('says which account holds back what is due, why and until when: %j', (changes, words) => {
    const heldBack = { ...parked, ...changes }
    expect(told({}, heldBack)).toBe(`It is due, but held back: ${words}; 3 of 3 tries are left.`)
    expect(told({ projectedEpoch: 4 }, heldBack)).toContain('It is due, but held back: ')
  })

  it.each([
    [2, '1 of 3 tries is left; it has died more than once, and is handed out alone.'],
    [3, 'all its tries are spent, and one more is its last; it has died more than once, and is handed out alone.'],
    [5, 'all its tries are spent, and one more is its last; it has died more than once, and is handed out alone.'],
  ])('says of a suspect with %i tries behind it how many are left, never fewer than it will get', (tries, words) => {
    expect(told({ tries, isSuspect: true })).toBe(`It is due, and waits for a run; ${words}`)
  })
})
