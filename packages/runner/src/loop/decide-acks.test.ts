import { describe, expect, it } from 'vitest'
import type { InboundMessage } from '../mailbox-client.ts'
import { RetryLater } from '../retry-later.ts'
import { type DecideAcksInput, decideAcks } from './decide-acks.ts'

const NOW = Date.UTC(2026, 0, 1)

function message(id: string): InboundMessage {
  return {
    id,
    seq: 2,
    kind: 'chat',
    status: 'pending',
    createdAtMs: 0,
    processAfterMs: null,
    tries: 0,
    attempt: 3,
    brief: null,
    isTrigger: true,
    isOnWake: false,
    content: '{}',
    seriesId: null,
    sourceSessionId: null,
    address: { platformId: null, channelType: null, threadId: null },
  }
}

const text = { kind: 'returned', text: 'hi' } as const
const nothing = { kind: 'returned', text: null } as const
const threw = { kind: 'threw', error: new Error('no') } as const
const parked = { kind: 'threw', error: new RetryLater(5_000, 'limit', { trouble: 'rate-limit' }) } as const
const away = { kind: 'threw', error: new RetryLater(null, 'no answer', { trouble: 'outage' }) } as const
const limited = { kind: 'threw', error: new RetryLater(5_000, 'limit') } as const
const none = { kind: 'none' } as const
const stopping = { kind: 'stopping' } as const
const cancelled = { kind: 'cancelled', messageIds: new Set(['b']) } as const

type Row = readonly [
  because: string,
  input: Pick<DecideAcksInput, 'outcome' | 'interruption'>,
  answered: readonly string[],
  acks: readonly string[],
  reply: string | null,
]

const ROWS: readonly Row[] = [
  ['a text', { outcome: text, interruption: none }, [], ['a completed', 'b completed'], 'hi'],
  ['nothing', { outcome: nothing, interruption: none }, [], ['a completed', 'b completed'], null],
  ['nothing after a reply', { outcome: nothing, interruption: none }, ['b'], ['a completed', 'b completed'], null],
  ['a throw', { outcome: threw, interruption: none }, [], ['a failed', 'b failed'], null],
  ['a throw after a reply', { outcome: threw, interruption: none }, ['b'], ['a failed', 'b completed'], null],
  ['a limit', { outcome: limited, interruption: none }, [], ['a failed +5000', 'b failed +5000'], null],
  [
    'a limit of the account',
    { outcome: parked, interruption: none },
    ['b'],
    ['a failed +5000 rate-limit', 'b completed'],
    null,
  ],
  ['an outage', { outcome: away, interruption: none }, [], ['a failed outage', 'b failed outage'], null],
  ['an outage, cancelled', { outcome: away, interruption: cancelled }, [], ['a failed +0', 'b failed'], null],
  ['a text, stopping', { outcome: text, interruption: stopping }, [], ['a completed', 'b completed'], 'hi'],
  ['nothing, stopping', { outcome: nothing, interruption: stopping }, [], [], null],
  ['replied, stopping', { outcome: nothing, interruption: stopping }, ['b'], ['a completed', 'b completed'], null],
  ['a throw, stopping', { outcome: threw, interruption: stopping }, [], [], null],
  ['a throw after a reply, stopping', { outcome: threw, interruption: stopping }, ['a'], ['a completed'], null],
  ['a throw, cancelled', { outcome: threw, interruption: cancelled }, [], ['a failed +0', 'b failed'], null],
  ['a text, cancelled', { outcome: text, interruption: cancelled }, [], ['a failed +0', 'b failed'], null],
  ['replied, cancelled', { outcome: threw, interruption: cancelled }, ['a'], ['a completed', 'b failed'], null],
]

describe('decideAcks', () => {
  it.each(ROWS)('(B1, I6) after %s', (_, input, answered, expected, reply) => {
    const decision = decideAcks({
      ...input,
      messages: [message('a'), message('b')],
      answeredIds: new Set(answered),
      nowMs: NOW,
    })
    const acks = decision.acks.map(({ messageId, status, retryAtMs, trouble }) => {
      const retry = retryAtMs === null ? '' : ` +${retryAtMs - NOW}`
      return `${messageId} ${status}${retry}${trouble === null ? '' : ` ${trouble}`}`
    })
    expect(acks).toEqual(expected)
    expect(decision.replyText).toBe(reply)
    expect(decision.acks.every(({ attempt }) => attempt === 3)).toBe(true)
  })
})

describe('RetryLater', () => {
  it.each([
    ['an instant', new Date(NOW + 1), NOW + 1],
    ['a wait', 250, NOW + 250],
    ['an instant gone by', new Date(NOW - 1), NOW],
    ['a wait without end', 1e300, NOW + 10 * 366 * 86_400_000],
  ])('means %s', (_, when, expected) => {
    expect(new RetryLater(when, 'x').retryAtMs(NOW)).toBe(expected)
  })

  it('says nothing of a time nobody named, and of no trouble the protocol has no word for', () => {
    expect(new RetryLater(null, 'x', { trouble: 'outage' }).retryAtMs(NOW)).toBeNull()
    expect(new RetryLater(1, 'x', { trouble: 'flood' as 'outage' }).trouble).toBeNull()
    expect(new RetryLater(1, 'x').trouble).toBeNull()
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, new Date('never'), null])('refuses %s', (when) => {
    expect(() => new RetryLater(when, 'x')).toThrow(RangeError)
  })
})
