import { describe, expect, it } from 'vitest'
import type { OutboxBatch, SeenAck, SeenReply } from '../mailbox/mailbox.ts'
import type { Message } from '../model/message.ts'
import { decideOutbox } from './decide-outbox.ts'

const policy = { maxTries: 5, baseMs: 5_000, maxMs: 3_600_000, jitter: 'none', maxDeferMs: 86_400_000 } as const
const run = { sessionId: 'g/s', epoch: 3 }
const given: Message = {
  id: 'm-1',
  sessionId: 'g/s',
  group: 'g',
  kind: 'chat',
  content: '{"text":"x"}',
  processAfterMs: 0,
  trigger: true,
  onWake: false,
  address: { platformId: null, channelType: null, threadId: null },
  sourceSessionId: null,
  seriesId: null,
  seq: 2,
  status: 'claimed',
  createdAtMs: 0,
  tries: 0,
  attempt: 1,
  projectedEpoch: 3,
  claimEpoch: 3,
  claimedAtMs: 0,
  cancelRequestedAtMs: null,
  endedAtMs: null,
  failure: null,
  error: null,
  answered: false,
  deadLetter: false,
  isSuspect: false,
  troubles: null,
}
const ack: SeenAck = {
  messageId: 'm-1',
  status: 'completed',
  statusChanged: '2030-01-01 00:00:00',
  epoch: 3,
  attempt: 1,
  error: null,
  retryAtMs: null,
  trouble: null,
}

function decide(
  seen: Partial<SeenAck>,
  message: Partial<Message> = {},
  replies: readonly Partial<SeenReply>[] = [],
  counted: ReadonlyMap<string, string> = new Map(),
) {
  const batch: OutboxBatch = {
    acks: [{ ...ack, ...seen }],
    replies: replies as SeenReply[],
    state: null,
    sessionState: [],
    refused: [],
    lastSeq: 0,
    hasMore: false,
  }
  const known = { messages: new Map([['m-1', { ...given, ...message }]]), countedAcks: counted, answers: 0 }
  const { settlements, ignored } = decideOutbox(batch, run, known, policy, 1_000, 0)
  return { to: settlements.map((settlement) => settlement.to), because: ignored.map((line) => line.because) }
}

/** What the store remembers after this acknowledgement, without attempt, has counted for `run`, or another one. */
function countedOf(seen: Partial<SeenAck>, by = run): ReadonlyMap<string, string> {
  const acks = [{ ...ack, epoch: null, attempt: null, ...seen }]
  const batch = { acks, replies: [], state: null, sessionState: [], refused: [], lastSeq: 0, hasMore: false }
  const held = { ...given, projectedEpoch: by.epoch, claimEpoch: by.epoch, status: 'pending' } as const
  const known = { messages: new Map([['m-1', held]]), countedAcks: new Map(), answers: 0 }
  const { countedAcks } = decideOutbox(batch, by, known, policy, 1_000, 0)
  return new Map(countedAcks.map((counted) => [counted.messageId, counted.ack]))
}

describe('decideOutbox', () => {
  it.each<[string, Partial<SeenAck>, Partial<Message>, string[]]>([
    ['a claim', { status: 'processing' }, { status: 'pending' }, ['claimed']],
    ['a claim already known', { status: 'processing' }, {}, []],
    ['a completion', {}, {}, ['completed']],
    ['a completion whose claim was never seen', {}, { status: 'pending' }, ['claimed', 'completed']],
    ['(B1) a failure', { status: 'failed', error: 'boom' }, {}, ['retry']],
    ['the last failure', { status: 'failed' }, { tries: 4 }, ['failed']],
    ['an acknowledgement without epoch and attempt (C11)', { epoch: null, attempt: null }, {}, ['completed']],
  ])('settles %s', (_, seen, message, to) => {
    expect(decide(seen, message)).toEqual({ to, because: [] })
  })

  it.each<[string, Partial<SeenAck>, Partial<Message>, string[]]>([
    ['(G7) a message nobody knows', { messageId: 'm-2' }, {}, ['unknown-message']],
    ['(G7) another session’s message', {}, { sessionId: 'g/other' }, ['unknown-message']],
    [
      '(G7) a future message it was never given',
      {},
      { projectedEpoch: null, status: 'pending', attempt: 0, claimEpoch: null },
      ['attempt-not-given'],
    ],
    ['(A3) an older epoch', { epoch: 2 }, {}, ['other-epoch']],
    ['an attempt to come', { attempt: 2 }, {}, ['attempt-not-given']],
    ['an attempt already settled', {}, { attempt: 2 }, []],
    ['a message that has ended', {}, { status: 'completed' }, []],
  ])('ignores evidence about %s', (_, seen, message, because) => {
    expect(decide(seen, message)).toEqual({ to: [], because })
  })

  it('(G7) ignores an acknowledgement without attempt for a message never handed out', () => {
    const never = { projectedEpoch: null, status: 'pending', attempt: 0, claimEpoch: null } as const
    expect(decide({ attempt: null }, never)).toEqual({ to: [], because: ['not-given'] })
  })

  describe('of a runner that writes no attempt (C11), once the message is handed out to it anew', () => {
    const anew = { status: 'pending', attempt: 2, tries: 1, claimEpoch: null } as const
    const failure = { status: 'failed', epoch: null, attempt: null } as const

    it('counts the failure that still stands no second time', () => {
      expect(decide(failure, anew, [], countedOf(failure))).toEqual({ to: [], because: [] })
      const undated = { ...failure, statusChanged: null }
      expect(decide(undated, anew, [], countedOf(undated))).toEqual({ to: [], because: [] })
    })

    it.each<[string, Partial<SeenAck>, ReadonlyMap<string, string>, string[]]>([
      ['a later failure', { statusChanged: '2030-01-01 00:00:05' }, countedOf(failure), ['claimed', 'retry']],
      ['a claim', { status: 'processing' }, countedOf(failure), ['claimed']],
      ['a completion', { status: 'completed' }, countedOf(failure), ['claimed', 'completed']],
      ['the failure of a later run', {}, countedOf(failure, { ...run, epoch: 2 }), ['claimed', 'retry']],
      ['a failure after its claim', {}, countedOf({ ...failure, status: 'processing' }), ['claimed', 'retry']],
    ])('counts %s', (_, change, counted, to) => {
      expect(decide({ ...failure, ...change }, anew, [], counted)).toEqual({ to, because: [] })
    })

    it('remembers nothing of a runner that writes it', () => {
      expect(countedOf({ attempt: 1 })).toEqual(new Map())
    })
  })

  const HOUR_MS = 3_600_000
  const nowMs = Date.parse('2030-01-01T12:00:00Z')

  // By whose clock is told by when it says it wrote this.
  it.each([
    ['as asked', 0, HOUR_MS, null, HOUR_MS],
    ['as long as asked, by a clock an hour ahead', HOUR_MS, HOUR_MS, null, HOUR_MS],
    ['as long as asked, by a clock a day ahead', 24 * HOUR_MS, HOUR_MS, 'rate-limit', HOUR_MS],
    ['as long as asked, by a clock a day behind', -24 * HOUR_MS, HOUR_MS, null, HOUR_MS],
    ['to the time asked for, when the host was away', -HOUR_MS, 2 * HOUR_MS, 'outage', HOUR_MS],
    ['the least, when the reset went by as the host was away', -2 * HOUR_MS, HOUR_MS, 'rate-limit', 5_000],
    ['the least, when the reset had gone by already', 0, -HOUR_MS, null, 5_000],
  ] as const)('(A13, B16) waits %s, and spends no try', (_, aheadMs, forMs, trouble, waitsMs) => {
    const statusChanged = new Date(nowMs + aheadMs).toISOString()
    const failed = { ...ack, status: 'failed', statusChanged, retryAtMs: nowMs + aheadMs + forMs, trouble } as const
    const batch = {
      acks: [failed],
      replies: [],
      refused: [],
      sessionState: [],
      state: null,
      lastSeq: 0,
      hasMore: false,
    }
    const known = { messages: new Map([['m-1', given]]), countedAcks: new Map(), answers: 0 }
    const { settlements } = decideOutbox(batch, run, known, policy, nowMs, 0)
    expect(settlements).toMatchObject([{ to: 'retry', spendsTry: false, processAfterMs: nowMs + waitsMs }])
  })
})

describe('failures of one run, taken in one look', () => {
  const second = { ...given, id: 'm-2', seq: 4, tries: 4, attempt: 5 }
  const decideTwo = (one: Partial<SeenAck>, two: Partial<SeenAck>) => {
    const failed = { ...ack, status: 'failed', error: 'boom' } as const
    const acks = [
      { ...failed, ...one },
      { ...failed, messageId: 'm-2', attempt: 5, ...two },
    ]
    const batch = { acks, replies: [], state: null, sessionState: [], refused: [], lastSeq: 0, hasMore: false }
    const messages = new Map([given, second].map((message) => [message.id, message]))
    const { settlements } = decideOutbox(batch, run, { messages, countedAcks: new Map(), answers: 0 }, policy, 1_000, 0)
    return settlements.map((settlement) => settlement.to)
  }

  it.each<[string, Partial<SeenAck>, Partial<SeenAck>, string[]]>([
    ['of one stamp and one error are one failure of both', {}, {}, ['retry', 'retry']],
    ['of two stamps are two', { statusChanged: '2030-01-01 00:00:01' }, {}, ['retry', 'failed']],
    ['of two errors are two', { error: 'other' }, {}, ['retry', 'failed']],
    ['without stamp are two', { statusChanged: null }, { statusChanged: null }, ['retry', 'failed']],
    ['of which one was the provider’s are two', { trouble: 'outage' }, {}, ['retry', 'failed']],
    ['that were the provider’s are nobody’s', { trouble: 'outage' }, { trouble: 'outage' }, ['retry', 'retry']],
    ['beside a success is one', { status: 'completed' }, {}, ['completed', 'failed']],
  ])('%s', (_, one, two, expected) => {
    expect(decideTwo(one, two)).toEqual(expected)
  })
})
