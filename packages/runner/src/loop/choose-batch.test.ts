import { describe, expect, it } from 'vitest'
import type { InboundMessage, KnownAck } from '../mailbox-client.ts'
import { type ChooseBatchInput, chooseBatch } from './choose-batch.ts'

const NOW = 1_000_000

function message(id: string, seq: number, changes: Partial<InboundMessage> = {}): InboundMessage {
  return {
    id,
    seq,
    kind: 'chat',
    status: 'pending',
    createdAtMs: 0,
    processAfterMs: null,
    tries: 0,
    attempt: 1,
    brief: null,
    isTrigger: true,
    isOnWake: false,
    content: '{}',
    seriesId: null,
    sourceSessionId: null,
    address: { platformId: null, channelType: null, threadId: null },
    ...changes,
  }
}

function ack(changes: Partial<KnownAck> = {}): ReadonlyMap<string, KnownAck> {
  const known: KnownAck = { messageId: 'm', attempt: 1, status: 'processing', epoch: 3, ...changes }
  return new Map([[known.messageId, known]])
}

function choose(messages: readonly InboundMessage[], changes: Partial<ChooseBatchInput> = {}) {
  const look = { epoch: 3, takenSeq: 0, timeZone: null, messages }
  const choice = chooseBatch({
    look,
    acks: new Map(),
    wakeIds: new Set(),
    epoch: 3,
    per: 'batch',
    nowMs: NOW,
    ...changes,
  })
  return choice.action === 'claim' ? choice.messages.map(({ id }) => id) : choice
}

const WAIT = { action: 'wait', untilMs: null }

describe('chooseBatch', () => {
  it('waits when there is nothing', () => {
    expect(choose([])).toEqual(WAIT)
  })

  it('takes everything due, by seq, whatever the order of the rows', () => {
    expect(choose([message('b', 4), message('a', 2), message('c', 6)])).toEqual(['a', 'b', 'c'])
  })

  it('takes the oldest alone when messages are worked one by one', () => {
    expect(choose([message('b', 4), message('a', 2)], { per: 'message' })).toEqual(['a'])
  })

  it.each([
    ['below', NOW - 1, ['m']],
    ['at', NOW, ['m']],
    ['above', NOW + 1, { action: 'wait', untilMs: NOW + 1 }],
    ['unreadable', Number.POSITIVE_INFINITY, WAIT],
  ])('judges a due time %s now', (_, processAfterMs, expected) => {
    expect(choose([message('m', 2, { processAfterMs })])).toEqual(expected)
  })

  it('waits for the earliest of several', () => {
    const later = [message('a', 2, { processAfterMs: NOW + 9 }), message('b', 4, { processAfterMs: NOW + 5 })]
    expect(choose(later)).toEqual({ action: 'wait', untilMs: NOW + 5 })
  })

  it('does not wake for context that becomes due', () => {
    expect(choose([message('c', 2, { isTrigger: false, processAfterMs: NOW + 5 })])).toEqual(WAIT)
  })

  it.each(['completed', 'failed'] as const)('leaves a message that is %s', (status) => {
    expect(choose([message('m', 2, { status })])).toEqual(WAIT)
  })

  it.each([
    ['its own claim', {}, WAIT],
    ['a claim of an older attempt', { attempt: 0 }, ['m']],
    ['a claim of another run', { epoch: 2 }, ['m']],
    ['a claim of nobody', { epoch: null }, ['m']],
    ['its own end', { status: 'completed' as const }, WAIT],
    ['an end in another run', { status: 'failed' as const, epoch: 2 }, WAIT],
    ['an end of an older attempt', { status: 'failed' as const, attempt: 0 }, ['m']],
    ['an end of a later attempt', { status: 'failed' as const, attempt: 2 }, WAIT],
  ])('meets %s', (_, changes, expected) => {
    expect(choose([message('m', 2)], { acks: ack(changes) })).toEqual(expected)
  })

  it('leaves context alone without a message that asks for something', () => {
    expect(choose([message('c', 2, { isTrigger: false })])).toEqual(WAIT)
  })

  it('takes context up to the last message that asks for something', () => {
    const rows = [
      message('c1', 2, { isTrigger: false }),
      message('a', 4),
      message('c2', 6, { isTrigger: false }),
      message('b', 8),
      message('c3', 10, { isTrigger: false }),
    ]
    expect(choose(rows)).toEqual(['c1', 'a', 'c2', 'b'])
    expect(choose(rows, { per: 'message' })).toEqual(['c1', 'a'])
  })

  it('(B5) takes on_wake messages of the first look only', () => {
    const rows = [message('w1', 2, { isOnWake: true }), message('w2', 4, { isOnWake: true })]
    expect(choose(rows, { wakeIds: new Set(['w1']) })).toEqual(['w1'])
  })
})
