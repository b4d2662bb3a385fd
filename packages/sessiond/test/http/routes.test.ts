import { describe, expect, it } from 'vitest'
import { apiFixture, errorOf } from './api-fixture.ts'

const SEND = '/v1/sessions/ops/main/messages'

describe('sending', () => {
  it('answers 202 for a new message and 200 for the same one again', async () => {
    const { ask } = apiFixture()
    const first = await ask('POST', SEND, { text: 'hi', id: 'm-1' })
    const second = await ask('POST', SEND, { text: 'hi', id: 'm-1' })
    expect([first.status, second.status]).toEqual([202, 200])
    expect(await first.json()).toMatchObject({ messageId: 'm-1', sessionId: 'ops/main', duplicate: false })
    expect(await second.json()).toMatchObject({ messageId: 'm-1', duplicate: true })
  })

  it('hands the host exactly what was said, and nothing that was left out', async () => {
    const { ask, host } = apiFixture()
    const full = { text: 'hi', id: 'm1', kind: 'task', after: '10m', context: true, platformId: 'C1', threadId: 't' }
    await ask('POST', SEND, { text: 'bare' })
    await ask('POST', SEND, full)
    expect(host.calls).toEqual([
      { method: 'send', args: [{ group: 'ops', session: 'main', text: 'bare' }] },
      { method: 'send', args: [{ group: 'ops', session: 'main', ...full }] },
    ])
  })

  it('takes the id from Idempotency-Key, and refuses two that differ', async () => {
    const { ask } = apiFixture()
    const keyed = await ask('POST', SEND, { text: 'hi' }, { 'idempotency-key': 'k1' })
    expect(await keyed.json()).toMatchObject({ messageId: 'k1' })
    const same = await ask('POST', SEND, { text: 'hi', id: 'k1' }, { 'Idempotency-Key': 'k1' })
    expect(same.status).toBe(200)
    const other = await ask('POST', SEND, { text: 'hi', id: 'k2' }, { 'idempotency-key': 'k1' })
    expect(await errorOf(other)).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    const bad = await ask('POST', SEND, { text: 'hi' }, { 'idempotency-key': '../k' })
    expect(await errorOf(bad)).toMatchObject({ status: 400, code: 'MESSAGE_ID_INVALID' })
  })

  it('keeps every character of a text', async () => {
    const { ask, host } = apiFixture()
    const text = 'a\u0000b\u2028\u{1f600}"\\\n</script>'
    await ask('POST', SEND, { text })
    expect(host.calls[0]?.args[0]).toMatchObject({ text })
  })

  it('answers 404 for an unknown group', async () => {
    const { ask } = apiFixture()
    const response = await ask('POST', '/v1/sessions/unknown/main/messages', { text: 'hi' })
    expect(await errorOf(response)).toMatchObject({ status: 404, code: 'GROUP_UNKNOWN' })
  })
})

describe('a batch', () => {
  it('gives one outcome per message, in order, and a bad one harms no other', async () => {
    const { ask, host } = apiFixture()
    const response = await ask('POST', '/v1/messages', {
      messages: [
        { group: 'ops', text: 'one', id: 'a' },
        { group: 'ops', txt: 'mistyped' },
        { group: 'unknown', text: 'two' },
        'no object',
        { group: 'ops', session: '../x', text: 'three' },
        { group: 'ops', session: 'side', text: 'four', id: 'b' },
      ],
    })
    expect(response.status).toBe(200)
    const { outcomes } = (await response.json()) as { outcomes: unknown[] }
    expect(outcomes).toMatchObject([
      { receipt: { messageId: 'a', sessionId: 'ops/main' } },
      { error: { code: 'BAD_REQUEST', message: expect.stringContaining('text') } },
      { error: { code: 'GROUP_UNKNOWN' } },
      { error: { code: 'BAD_REQUEST' } },
      { error: { code: 'SESSION_NAME_INVALID', fields: { field: 'session' } } },
      { receipt: { messageId: 'b', sessionId: 'ops/side' } },
    ])
    expect(host.calls.filter(({ method }) => method === 'sendMany')).toHaveLength(1)
  })

  it.each([
    [0, 400],
    [1, 200],
    [1000, 200],
    [1001, 400],
  ])('of %i messages is answered with %i', async (count, status) => {
    const { ask } = apiFixture()
    const messages = Array.from({ length: count }, () => ({ group: 'ops', text: 'x' }))
    expect((await ask('POST', '/v1/messages', { messages })).status).toBe(status)
  })

  it('tells a failure nobody foresaw by id, per message', async () => {
    const { ask, host, log } = apiFixture()
    host.sendMany = async () => [new Error('secret detail')]
    const response = await ask('POST', '/v1/messages', { messages: [{ group: 'ops', text: 'x' }] })
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject({ outcomes: [{ error: { code: 'INTERNAL' } }] })
    expect(text).not.toContain('secret')
    expect(log).toHaveLength(1)
  })
})

describe('queries', () => {
  it.each([
    [
      '/v1/sessions?group=ops&after=ops%2Fmain&limit=5',
      'listSessions',
      [{ group: 'ops', after: 'ops/main', limit: 5 }],
    ],
    ['/v1/sessions', 'listSessions', [{}]],
    ['/v1/sessions/ops/main?limit=3', 'showSession', ['ops/main', 3]],
    ['/v1/messages/m1/replies?after=r1&limit=5', 'listReplies', [{ messageId: 'm1', after: 'r1', limit: 5 }]],
    ['/v1/messages/m1/replies', 'listReplies', [{ messageId: 'm1' }]],
    ['/v1/sessions/ops/main/runs', 'listRuns', ['ops/main', undefined]],
    ['/v1/sessions/ops/main/runs/latest/log', 'readRunLog', ['ops/main', undefined, undefined]],
    ['/v1/sessions/ops/main/runs/7/log?maxBytes=10', 'readRunLog', ['ops/main', 7, 10]],
    ['/v1/dead?session=ops/main', 'listDead', [{ sessionId: 'ops/main' }]],
    [
      '/v1/sessions/ops/main/messages?status=failed&beforeSeq=9&limit=2',
      'listMessages',
      [{ sessionId: 'ops/main', statuses: ['failed'], beforeSeq: 9, limit: 2 }],
    ],
    [
      '/v1/sessions/ops/main/messages?status=failed&status=pending',
      'listMessages',
      [{ sessionId: 'ops/main', statuses: ['failed', 'pending'] }],
    ],
  ])('%s asks the host for it', async (path, method, args) => {
    const { ask, host } = apiFixture()
    expect((await ask('GET', path)).status).toBe(200)
    expect(host.calls).toEqual([{ method, args }])
  })

  it.each([
    '/v1/sessions?limit=0',
    '/v1/sessions?limit=1001',
    '/v1/sessions?limit=-1',
    '/v1/sessions?limit=',
    '/v1/sessions?limit=1e2',
    '/v1/sessions?limit=0x10',
    '/v1/sessions?limit=5&limit=6',
    '/v1/sessions?lmit=5',
    '/v1/sessions?after=../x',
    '/v1/sessions?after=ops',
    '/v1/sessions?__proto__=1',
    '/v1/messages/m1?limit=0',
    '/v1/messages/m1/replies?before=r1',
    '/v1/messages/m1/replies?after=',
    '/v1/sessions/ops/main/messages?status=done',
    '/v1/sessions/ops/main/runs/0/log',
    '/v1/sessions/ops/main/runs/newest/log',
    '/v1/sessions/ops/main/runs/-1/log',
    '/v1/sessions/ops/main/runs/7/log?maxBytes=999999999',
    '/v1/events?after=-1',
    '/v1/events?session=ops/../x',
  ])('%s is refused with 400', async (path) => {
    const { ask, host } = apiFixture()
    expect((await ask('GET', path)).status).toBe(400)
    expect(host.calls).toEqual([])
  })

  it('name the likely parameter of a mistyped one', async () => {
    const error = await errorOf(await apiFixture().ask('GET', '/v1/sessions?limt=5'))
    expect(error.message).toContain('did you mean limit?')
  })
})

describe('a pruning', () => {
  it.each([
    ['/v1/prune/plans', { clases: ['todos'] }],
    ['/v1/prune/plans', { classes: [] }],
    ['/v1/prune/plans', { classes: Array.from({ length: 101 }, () => 'x') }],
    ['/v1/prune/plans', { group: '../ops' }],
    ['/v1/prune/plans/prune-1/apply', {}],
    ['/v1/prune/plans/..%2Fx/apply', { trash: false }],
  ])('%s refuses %j', async (path, body) => {
    const { ask, host } = apiFixture()
    expect((await ask('POST', path, body)).status).toBe(400)
    expect(host.calls).toEqual([])
  })

  it('tells its removals page by page', async () => {
    const { ask } = apiFixture()
    const first = await (await ask('GET', '/v1/prune/plans/prune-1/removals?limit=1')).json()
    expect(first).toMatchObject({ removals: [{ path: expect.stringContaining('a\u001b') }], next: 1 })
    const second = await (await ask('GET', '/v1/prune/plans/prune-1/removals?limit=1&after=1')).json()
    expect(second).toMatchObject({ removals: [{ path: expect.stringContaining('b.txt') }], next: null })
  })
})

describe('commands', () => {
  it.each([
    ['POST', '/v1/messages/m1/cancel', undefined, 200, { outcome: 'cancelled' }, 'cancelMessage', ['m1']],
    ['POST', '/v1/messages/claimed/cancel', undefined, 202, { outcome: 'requested' }, 'cancelMessage', ['claimed']],
    ['POST', '/v1/sessions/ops/main/stop', {}, 200, { cancelled: 1, runStopped: true }, 'stopSession', ['ops/main']],
    ['POST', '/v1/sessions/ops/main/close', undefined, 200, { outcome: 'closed' }, 'closeSession', ['ops/main']],
    ['POST', '/v1/dead/delivery:5/replay', undefined, 200, { outcome: 'replayed' }, 'replayDead', ['delivery:5']],
    ['DELETE', '/v1/dead/m1', undefined, 200, { outcome: 'dropped' }, 'dropDead', ['m1']],
    ['POST', '/v1/sweep', { dryRun: true }, 200, { dryRun: true }, 'sweepOnce', [{ dryRun: true }]],
    ['POST', '/v1/prune/plans', {}, 201, { id: 'prune-1' }, 'planPruning', [{}]],
    [
      'POST',
      '/v1/prune/plans/prune-1/apply',
      { trash: true },
      202,
      { state: 'running' },
      'startPruning',
      [{ planId: 'prune-1', trash: true }],
    ],
    ['GET', '/v1/prune/prune-1', undefined, 200, { state: 'finished' }, 'readPruning', ['prune-1']],
  ])('%s %s', async (verb, path, body, status, answer, method, args) => {
    const { ask, host } = apiFixture()
    const response = await ask(verb, path, body)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject(answer)
    expect(host.calls).toEqual([{ method, args }])
  })

  it('a sweep must say whether it is a dry run: the default could only be wrong', async () => {
    const { ask, host } = apiFixture()
    for (const body of [undefined, {}, { dryRun: 'true' }]) {
      expect((await ask('POST', '/v1/sweep', body)).status).toBe(400)
    }
    expect(host.calls).toEqual([])
  })
})
