import { describe, expect, it } from 'vitest'
import { FakeWorld } from '../../../testkit/src/fake-world.ts'
import { SessiondError } from '../../src/model/errors.ts'
import { apiFixture, errorOf, TOKEN } from './api-fixture.ts'

const SEND = '/v1/sessions/ops/main/messages'

describe('the bearer token', () => {
  it.each([
    ['no header', undefined],
    ['a wrong token', 'Bearer wrong'],
    ['a token that begins right', `Bearer ${TOKEN.slice(0, -1)}`],
    ['a token that goes on', `Bearer ${TOKEN}x`],
    ['another scheme', `Basic ${TOKEN}`],
    ['the bare token', TOKEN],
    ['nothing behind the scheme', 'Bearer '],
  ])('refuses %s with 401 and a challenge', async (_name, authorization) => {
    const { app, host } = apiFixture()
    const headers = authorization === undefined ? {} : { authorization }
    const response = await app.request('/v1/sessions', { headers })
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect(await errorOf(response)).toMatchObject({ status: 401, code: 'UNAUTHORIZED' })
    expect(host.calls).toEqual([])
  })

  it('is asked for on every route but health, unknown ones included', async () => {
    const { app } = apiFixture()
    const routes = app.routes.filter(({ method }) => method !== 'ALL')
    for (const { method, path } of [...routes, { method: 'GET', path: '/' }, { method: 'GET', path: '/v1/healthz' }]) {
      const response = await app.request(path.replace(/:\w+/g, 'x'), { method })
      expect(response.status, `${method} ${path}`).toBe(path === '/v1/health' ? 200 : 401)
    }
  })

  it('is taken whatever the case of the scheme', async () => {
    const { app } = apiFixture()
    const response = await app.request('/v1/sessions', { headers: { authorization: `bEARER  ${TOKEN}` } })
    expect(response.status).toBe(200)
  })
})

describe('health', () => {
  it('tells a caller without a token only whether all is well', async () => {
    const { app, host } = apiFixture()
    const well = await app.request('/v1/health')
    expect([well.status, await well.json()]).toEqual([200, { ok: true }])
    host.healthy = false
    const ill = await app.request('/v1/health')
    expect([ill.status, await ill.json()]).toEqual([503, { ok: false }])
  })

  it('(H5) answers 503 with the problems to a caller with the token', async () => {
    const { ask, host } = apiFixture()
    host.healthy = false
    const response = await ask('GET', '/v1/health')
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ ok: false, problems: ['the sweep is late'] })
  })

  it('(H5) is not well when it cannot be read, and says no more to a caller without a token', async () => {
    const { app, host, log } = apiFixture()
    host.nextError = new Error('the store is gone')
    const response = await app.request('/v1/health')
    expect([response.status, await response.json()]).toEqual([503, { ok: false }])
    expect(log).toHaveLength(1)
  })

  it('refuses a wrong token rather than answering as to a caller without one', async () => {
    const response = await apiFixture().app.request('/v1/health', { headers: { authorization: 'Bearer wrong' } })
    expect(response.status).toBe(401)
  })
})

describe('the Host header', () => {
  it('is checked before the token, so a rebound page learns nothing', async () => {
    const { ask, host } = apiFixture()
    const response = await ask('GET', '/v1/sessions', undefined, { host: 'attacker.example' })
    expect(await errorOf(response)).toMatchObject({ status: 421, code: 'HOST_NOT_ALLOWED' })
    expect(host.calls).toEqual([])
  })

  it('may be one of allowedHosts', async () => {
    const { ask } = apiFixture({ allowedHosts: ['ops.example'] })
    expect((await ask('GET', '/v1/sessions', undefined, { host: 'ops.example:8443' })).status).toBe(200)
  })
})

describe('other sites', () => {
  it('get no CORS headers, neither on a preflight nor on an answer', async () => {
    const { app, ask } = apiFixture()
    const headers = { origin: 'http://attacker.example', 'access-control-request-method': 'POST' }
    const preflight = await app.request(SEND, { method: 'OPTIONS', headers })
    const answer = await ask('GET', '/v1/sessions', undefined, headers)
    for (const response of [preflight, answer]) {
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
    expect(preflight.status).toBe(401)
  })

  it('cannot have answers cached or read as something else', async () => {
    const { ask } = apiFixture()
    for (const path of ['/v1/sessions', '/v1/none']) {
      const response = await ask('GET', path)
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    }
  })
})

describe('bodies', () => {
  it.each([
    ['a form', 'application/x-www-form-urlencoded'],
    ['plain text, which needs no preflight', 'text/plain'],
    ['something like JSON', 'application/jsonx'],
    ['another JSON', 'application/vnd.api+json'],
  ])('refuses %s with 415', async (_name, contentType) => {
    const { ask, host } = apiFixture()
    const response = await ask('POST', SEND, '{"text":"hi"}', { 'content-type': contentType })
    expect(await errorOf(response)).toMatchObject({ status: 415, code: 'MEDIA_TYPE_REFUSED' })
    expect(host.calls).toEqual([])
  })

  it('takes application/json with parameters', async () => {
    const { ask } = apiFixture()
    const response = await ask('POST', SEND, '{"text":"hi"}', { 'content-type': 'Application/JSON; charset=utf-8' })
    expect(response.status).toBe(202)
  })

  it.each([
    ['at the bound', 0, 202],
    ['one byte above', 1, 413],
  ])('holds a body %s to maxBodyBytes', async (_name, extra, status) => {
    const { ask } = apiFixture({ maxBodyBytes: 200 })
    const body = `{"text":"${'x'.repeat(200 - '{"text":""}'.length + extra)}"}`
    expect((await ask('POST', SEND, body)).status).toBe(status)
  })

  it('refuses invalid UTF-8 instead of guessing', async () => {
    const { app } = apiFixture()
    const response = await app.request(SEND, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: new Uint8Array([...Buffer.from('{"text":"'), 0xc3, 0x28, ...Buffer.from('"}')]),
    })
    expect(await errorOf(response)).toMatchObject({ status: 400, code: 'TEXT_NOT_UTF8' })
  })

  it.each(['{', '', '{"text":}', 'null', '[]', '"text"', '5'])('refuses the body %j with 400', async (body) => {
    const { ask } = apiFixture()
    expect(await errorOf(await ask('POST', SEND, body))).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
  })

  it('of a client that breaks off its upload are refused as its own fault, and nothing is logged', async () => {
    const { app, log } = apiFixture()
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('{"text":')),
      pull: (controller) => controller.error(new Error('aborted')),
    })
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body, duplex: 'half' }
    const refused = await errorOf(await app.request('/v1/sessions/ops/main/messages', init as RequestInit))
    expect(refused).toMatchObject({ status: 400, code: 'BAD_REQUEST', message: 'The body broke off.' })
    expect(log).toEqual([])
  })

  it('takes a body that begins with a byte order mark', async () => {
    const { ask } = apiFixture()
    expect((await ask('POST', SEND, '\ufeff{"text":"hi"}')).status).toBe(202)
  })

  it.each([
    ['txt', 'did you mean text?'],
    ['platformid', 'did you mean platformId?'],
    ['zzzzzzzzz', 'known are text, id, kind'],
    ['x'.repeat(50_000), 'known are text, id, kind'],
  ])('refuses an unknown key and names the likely one', async (key, hint) => {
    const { ask } = apiFixture()
    const error = await errorOf(await ask('POST', SEND, { text: 'hi', [key]: 1 }))
    expect(error).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    expect(error.message).toContain(hint)
    expect(error.message.length).toBeLessThan(400)
  })

  it('names the wrong field and never repeats its value', async () => {
    const { ask } = apiFixture()
    const error = await errorOf(await ask('POST', SEND, { text: 'private', kind: 'privately' }))
    expect(error).toMatchObject({ status: 400, fields: { in: 'body', field: 'kind' } })
    expect(JSON.stringify(error)).not.toContain('privat')
  })

  it('refuses a body with something in it where none is wanted', async () => {
    const { ask } = apiFixture()
    expect((await ask('POST', '/v1/sessions/ops/main/stop', { force: true })).status).toBe(400)
    expect((await ask('POST', '/v1/sessions/ops/main/stop')).status).toBe(200)
  })
})

describe('paths', () => {
  it.each([
    '/v1/sessions/ops/..',
    '/v1/sessions/ops/%2e%2e',
    '/v1/sessions/ops/..%2fmain',
    '/v1/sessions/ops/%2e%2e%2fmain',
    '/v1/sessions/ops/%252e%252e',
    '/v1/sessions/ops/a%2fb',
    '/v1/sessions/ops/a%00b',
    '/v1/sessions/ops/a%5cb',
    '/v1/sessions/ops/.hidden',
    '/v1/sessions/ops/%ff%fe',
    '/v1/sessions/ops/%zz',
    `/v1/sessions/ops/${'x'.repeat(65)}`,
    '/v1/sessions/%2e%2e/main',
    '/v1/sessions/o%2fps/main',
    '/v1/messages/..',
    '/v1/messages/a%2fb',
    '/v1/messages/a%00',
    `/v1/messages/${'x'.repeat(129)}`,
    '/v1/dead/..%2f..%2fetc',
  ])('refuses %s and asks the host nothing', async (path) => {
    const { ask, host } = apiFixture()
    const response = await ask('GET', path)
    expect([400, 404]).toContain(response.status)
    expect(host.calls.filter(({ method }) => method !== 'listSessions')).toEqual([])
  })

  it('says which name is wrong, by its code', async () => {
    const { ask } = apiFixture()
    const name = await errorOf(await ask('GET', '/v1/sessions/ops/a%00b'))
    expect(name).toMatchObject({ status: 400, code: 'SESSION_NAME_INVALID', fields: { in: 'path', field: 'session' } })
    const id = await errorOf(await ask('GET', '/v1/messages/a%2fb'))
    expect(id).toMatchObject({ status: 400, code: 'MESSAGE_ID_INVALID' })
  })

  it('decodes what is only encoded', async () => {
    const { ask, host } = apiFixture()
    await ask('GET', '/v1/dead/delivery%3A5')
    expect(host.calls).toEqual([{ method: 'showDead', args: ['delivery:5'] }])
  })
})

describe('the rate', () => {
  it('is held per address, and says when to come back', async () => {
    const world = new FakeWorld()
    const { ask } = apiFixture({ requestsPerSecond: 2 }, world)
    expect((await ask('GET', '/v1/sessions')).status).toBe(200)
    expect((await ask('GET', '/v1/sessions')).status).toBe(200)
    const refused = await ask('GET', '/v1/sessions')
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'RATE_LIMITED' })
    await world.advance(500)
    expect((await ask('GET', '/v1/sessions')).status).toBe(200)
  })

  it('(I2) of those who have no token takes nothing from who has it, on the same address', async () => {
    const { app, ask } = apiFixture({ requestsPerSecond: 2 }, new FakeWorld())
    const guess = async () => (await app.request('/v1/sessions', { headers: { Authorization: 'Bearer no' } })).status
    expect([await guess(), await guess(), await guess()]).toEqual([401, 401, 429])
    expect((await app.request('/v1/health')).status).toBe(429)
    expect((await ask('POST', '/v1/sessions/ops/main/stop')).status).toBe(200)
  })
})

describe('failures', () => {
  it('of the host reach the client with code, fields and cure apart from the message', async () => {
    const { ask } = apiFixture()
    const error = await errorOf(await ask('GET', '/v1/sessions/ops/other'))
    expect(error).toEqual({
      status: 404,
      code: 'SESSION_NOT_FOUND',
      message: 'There is no session ops/other.',
      cure: 'List sessions with `sessiond sessions`.',
      fields: {},
    })
  })

  it('nobody foresaw become a 500 with an id, and their details go to the log alone', async () => {
    const { ask, host, log } = apiFixture()
    const cause = new Error('SELECT secret FROM somewhere')
    host.nextError = cause
    const error = await errorOf(await ask('POST', SEND, { text: 'very private' }))
    expect(error).toMatchObject({ status: 500, code: 'INTERNAL', fields: { errorId: expect.any(String) } })
    expect(JSON.stringify(error)).not.toContain('secret')
    expect(log).toEqual([
      {
        message: 'request failed',
        fields: {
          code: 'INTERNAL',
          fields: error.fields,
          where: 'POST /v1/sessions/:group/:session/messages',
          err: cause,
        },
      },
    ])
  })

  it('(G10) never put the token or a body into the log', async () => {
    const { ask, host, log } = apiFixture()
    host.nextError = new SessiondError('STORE_BROKEN', 'The store is broken.')
    await ask('POST', SEND, { text: 'very private' })
    host.nextError = new TypeError('oops')
    await ask('GET', `/v1/sessions?after=ops/private`)
    expect(log).toHaveLength(2)
    expect(JSON.stringify(log)).not.toMatch(new RegExp(`${TOKEN}|private`))
  })
})
