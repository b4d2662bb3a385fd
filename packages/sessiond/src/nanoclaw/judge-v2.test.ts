import { afterEach, describe, expect, it } from 'vitest'
import { compileConfig } from '../config/compile-config.ts'
import type { V2Ack, V2Message, V2Session, V2SessionState } from './installation.ts'
import { judgeV2, type ReadSession } from './judge-v2.ts'

const NOW_MS = Date.UTC(2030, 0, 1, 12)
const MIN = 60_000
const { defaults, runs } = compileConfig(
  { groups: { any: { agent: { command: ['any'] } } } },
  { env: {}, baseDir: '/', source: 'test' },
)
const POLICY = { ...defaults, runs }
const DEAF = POLICY.stuck.deafMs

const SESSION: V2Session = {
  id: 'sess-1',
  group: 'ag-1',
  status: 'active',
  containerStatus: 'running',
  createdAt: '2029-01-01T00:00:00Z',
  lastActive: null,
}

const NOTHING: V2SessionState = {
  counts: {},
  open: [],
  series: [],
  acks: [],
  undelivered: 0,
  tool: null,
  heartbeatAtMs: null,
  untold: { waking: 0, context: 0, claims: 0 },
  isPartial: false,
}

function message(id: string, change: Partial<V2Message> = {}): V2Message {
  return {
    id,
    kind: 'chat',
    status: 'pending',
    timestamp: at(0),
    processAfter: null,
    recurrence: null,
    seriesId: null,
    tries: 0,
    isTrigger: true,
    isOnWake: false,
    ...change,
  }
}

function claim(messageId: string, agoMs: number): V2Ack {
  return { messageId, status: 'processing', changedAt: at(-agoMs) }
}

function at(fromNowMs: number): string {
  return new Date(NOW_MS + fromNowMs).toISOString()
}

/** Without a zone, as SQLite's own functions write it. */
function bare(fromNowMs: number): string {
  return at(fromNowMs).slice(0, 19).replace('T', ' ')
}

function judge(session: Partial<V2Session>, state: Partial<V2SessionState>) {
  const judged = judgeV2({ ...SESSION, ...session }, { ...NOTHING, ...state }, POLICY, NOW_MS)
  return { ...judged, files: judged.files as ReadSession & { readonly seen: 'read' } }
}

describe('judgeV2', () => {
  it('would start a run for what is due in a session whose container is stopped', () => {
    const { next, files } = judge({ containerStatus: 'stopped' }, { open: [message('m1')] })
    expect(next).toMatchObject({ action: 'start', because: 'due' })
    expect(files.messages[0]).toMatchObject({ state: 'due', stuck: null })
  })

  it('would start nothing for what only waits, is context, or is done already', () => {
    const open = [
      message('later', { processAfter: at(1) }),
      message('context', { isTrigger: false }),
      message('done', { processAfter: at(-MIN) }),
    ]
    const acks = [{ messageId: 'done', status: 'completed', changedAt: at(-1) }]
    const { next, files } = judge({ containerStatus: 'stopped' }, { open, acks })
    expect(next).toMatchObject({ action: 'leave', because: 'nothing-due' })
    expect(files.messages.map(({ state }) => state)).toEqual(['waiting', 'context', 'answered'])
    expect(files.nextDueAtMs).toBe(NOW_MS + 1)
  })

  it.each([
    [MIN - 1, null, 'leave'],
    [MIN, null, 'leave'],
    [MIN + 1, null, 'stop'],
    // A beat after the claim is a sign of life.
    [29 * MIN, 28 * MIN, 'leave'],
    // One before it is none.
    [2 * MIN, 3 * MIN, 'stop'],
  ])('judges a claim of %i ms, the heartbeat %j ms ago: %s', (claimMs, beatMs, action) => {
    const heartbeatAtMs = beatMs === null ? null : NOW_MS - beatMs
    const { next, files } = judge({}, { open: [message('m1')], acks: [claim('m1', claimMs)], heartbeatAtMs })
    expect(next?.action).toBe(action)
    expect(files.messages[0]).toMatchObject({
      claimAgeMs: claimMs,
      stuck: action === 'stop' ? 'silent' : null,
      prospect: action === 'stop' ? 'handed-out-again' : null,
    })
  })

  it('widens its patience by what a tool in flight has declared', () => {
    const tool = { name: 'Bash', timeoutMs: 10 * MIN, startedAt: at(-9 * MIN) }
    const state = { open: [message('m1')], acks: [claim('m1', 9 * MIN)] }
    expect(judge({}, { ...state, tool }).next?.action).toBe('leave')
    expect(judge({}, { ...state, tool: { ...tool, timeoutMs: 8 * MIN } }).next?.action).toBe('stop')
  })

  it('takes no container for dead of which nobody says whether it runs', () => {
    for (const containerStatus of [null, 'hibernating', '']) {
      const { next, container, files } = judge(
        { containerStatus },
        { open: [message('m1')], acks: [claim('m1', 600 * MIN)], heartbeatAtMs: NOW_MS - 600 * MIN },
      )
      expect([container, next?.action]).toEqual(['unknown', 'leave'])
      expect(next?.because).toMatch(/^runtime-unknown/)
      expect(files.messages[0]).toMatchObject({ stuck: null, prospect: null })
    }
  })

  it('takes a container that never beat for one that has just begun', () => {
    expect(judge({}, { open: [message('m1', { processAfter: at(-600 * MIN) })] }).next?.action).toBe('leave')
  })

  it.each<[string, Partial<V2Message>, number, string | null]>([
    ['chat that came', { timestamp: at(-DEAF) }, 5_000, null],
    ['chat that came', { timestamp: at(-DEAF - 1) }, 5_000, 'unheeded'],
    ['chat that came', { timestamp: at(-180 * MIN) }, 20 * MIN, 'unheeded'],
    ['chat by a clock ahead', { timestamp: at(180 * MIN) }, 5_000, null],
    ['chat that came at no time', { timestamp: 'once' }, 5_000, null],
    ['task that was due', { timestamp: at(-999 * MIN), processAfter: at(-DEAF) }, 5_000, null],
    ['task that was due', { timestamp: at(-999 * MIN), processAfter: at(-DEAF - 1) }, 5_000, 'unheeded'],
  ])(
    'calls stuck what a container that is said to run has not taken: a %s, %j, the heartbeat %i ms old: %s',
    (_, change, beatMs, stuck) => {
      const state = { open: [message('m1', change)], heartbeatAtMs: NOW_MS - beatMs }
      const { next, files } = judge({}, state)
      expect(files.messages).toMatchObject([{ state: 'due', stuck }])
      // Since when the container is there is not known.
      expect(next?.action).toBe('leave')
      expect(judge({ containerStatus: 'stopped' }, state).files.messages).toMatchObject([{ stuck: null }])
      const busy = judge({}, { ...state, acks: [claim('other', 1)] })
      expect(busy.files.messages.find(({ id }) => id === 'm1')).toMatchObject({ stuck: null })
    },
  )

  it('says of a heartbeat that stopped that it did, whatever is due meanwhile', () => {
    const open = [message('m1', { timestamp: at(-180 * MIN) })]
    expect(judge({}, { open, heartbeatAtMs: NOW_MS - 30 * MIN }).next?.action).toBe('leave')
    const { next } = judge({}, { open, heartbeatAtMs: NOW_MS - 31 * MIN })
    expect(next).toMatchObject({ action: 'stop', because: 'ceiling', evidence: { silentForMs: 31 * MIN } })
  })

  it('leaves for the next container what is meant for its first look', () => {
    const open = [message('m1', { timestamp: at(-180 * MIN), isOnWake: true })]
    const running = judge({}, { open, heartbeatAtMs: NOW_MS - 1_000 })
    expect(running.files).toMatchObject({ nextDueAtMs: null, messages: [{ state: 'on-wake', stuck: null }] })
    expect(running.next?.action).toBe('leave')
    const stopped = judge({ containerStatus: 'stopped' }, { open })
    expect(stopped).toMatchObject({ files: { messages: [{ state: 'due' }] }, next: { action: 'start' } })
  })

  it('gives back at no cost what a container held that is gone', () => {
    const open = [message('m1', { tries: 4 })]
    const { next, files } = judge({ containerStatus: 'stopped' }, { open, acks: [claim('m1', 600 * MIN)] })
    expect(next).toMatchObject({ action: 'settle', because: 'gone' })
    expect(files.messages[0]).toMatchObject({ stuck: 'no-container', prospect: 'handed-out-again' })
  })

  it('gives up, when its container is stopped, what has no try left', () => {
    const open = [message('m1', { tries: 4 })]
    const { files } = judge({}, { open, acks: [claim('m1', 2 * MIN)] })
    expect(files.messages[0]?.prospect).toBe('given-up')
  })

  it('names a message whose time is none, which no host would ever find due', () => {
    const open = [message('m1', { processAfter: 'tomorrow' }), message('m2', { processAfter: '2030-02-31 00:00:00' })]
    const { next, files } = judge({ containerStatus: 'stopped' }, { open })
    expect(files.messages.map(({ stuck }) => stuck)).toEqual(['no-time', 'no-time'])
    expect(next?.because).toBe('nothing-due')
  })

  it('holds a claim whose time cannot be read against nobody', () => {
    const acks = [{ messageId: 'm1', status: 'processing', changedAt: 'long ago' }]
    const { next, files } = judge({}, { open: [message('m1')], acks })
    expect(next?.action).toBe('leave')
    expect(files.messages[0]).toMatchObject({ state: 'claimed', claimAgeMs: null, stuck: null })
  })

  it('counts a claim of a message that has ended, or never was', () => {
    const { next, files } = judge({}, { acks: [claim('ghost', 2 * MIN)] })
    expect(files.messages).toMatchObject([{ id: 'ghost', state: 'claimed', stuck: 'silent' }])
    expect(next?.action).toBe('stop')
  })

  it('takes a clock that is ahead for now', () => {
    const { next, files } = judge(
      {},
      { open: [message('m1')], acks: [claim('m1', -60 * MIN)], heartbeatAtMs: NOW_MS + 60 * MIN },
    )
    expect(next?.action).toBe('leave')
    expect(files).toMatchObject({ heartbeatAgeMs: 0, messages: [{ claimAgeMs: 0 }] })
  })

  it('tells what has become of each series', () => {
    const of = (id: string, change: Partial<V2Message>) =>
      message(id, { recurrence: '0 9 * * *', seriesId: id, ...change })
    const series = [
      of('a', { processAfter: at(MIN) }),
      of('b', { processAfter: at(-MIN) }),
      of('c', {}),
      of('d', { status: 'paused', processAfter: at(MIN) }),
      of('e', { status: 'completed' }),
      of('f', { status: 'failed' }),
    ]
    const open = series.filter(({ status }) => status === 'pending')
    const { files } = judge({}, { series, open, acks: [claim('c', 1)] })
    expect(files.series.map(({ id, state }) => [id, state])).toEqual([
      ['a', 'waiting'],
      ['b', 'due'],
      ['c', 'working'],
      ['d', 'paused'],
      ['e', 'next-not-made'],
      ['f', 'next-not-made'],
    ])
  })

  describe('in any time zone', () => {
    const before = process.env.TZ
    afterEach(() => {
      if (before === undefined) delete process.env.TZ
      else process.env.TZ = before
    })

    it.each(['UTC', 'Asia/Tokyo', 'America/New_York'])('reads times without a zone as UTC under TZ=%s (A6)', (zone) => {
      process.env.TZ = zone
      const open = [
        message('m1'),
        message('m2', { processAfter: bare(-1_000) }),
        message('m3', { processAfter: bare(1_000) }),
      ]
      const acks = [{ messageId: 'm1', status: 'processing', changedAt: bare(-MIN) }]
      const { next, files } = judge({}, { open, acks, heartbeatAtMs: NOW_MS - MIN })
      expect(next?.action).toBe('leave')
      expect(files.messages.map(({ state, claimAgeMs }) => [state, claimAgeMs])).toEqual([
        ['claimed', MIN],
        ['due', null],
        ['waiting', null],
      ])
    })
  })
})
