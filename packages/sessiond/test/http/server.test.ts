import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { ServerOptions } from '../../src/http/server.ts'
import { apiFixture, errorOf, TOKEN } from './api-fixture.ts'
import type { RealServer } from './real-server.ts'
import { rawClient, realServer } from './real-server.ts'

const SEND = '/v1/sessions/ops/main/messages'
const AUTH = `Authorization: Bearer ${TOKEN}`

/** As they were before any server was started here. */
const GLOBALS = [globalThis.Request, globalThis.Response]

const running: RealServer[] = []
afterEach(async () => {
  for (const { server } of running.splice(0)) await server.close()
})

async function start(options: Partial<ServerOptions> = {}, fixture = apiFixture()): Promise<RealServer> {
  const server = await realServer(options, fixture)
  running.push(server)
  return server
}

describe('startServer', () => {
  it('serves the app on the port it says', async () => {
    const { fetch } = await start()
    const sent = await fetch(SEND, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"grüße"}',
    })
    expect([sent.status, await sent.json()]).toEqual([202, expect.objectContaining({ sessionId: 'ops/main' })])
    expect(await (await fetch('/v1/messages/m1')).json()).toMatchObject({ message: { content: '{"text":"grüße"}' } })
  })

  it('leaves the globals of the program it runs in alone', async () => {
    const { fetch } = await start()
    await fetch('/v1/health')
    expect([globalThis.Request, globalThis.Response]).toEqual(GLOBALS)
  })

  it('names the address that is taken, and the cure', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    await expect(start({ port })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`127.0.0.1:${port} (EADDRINUSE)`),
      fields: { field: 'api.port', port },
    })
    await new Promise((resolve) => taken.close(resolve))
  })

  it.each([
    ['another name', 'attacker.example'],
    ['localhost with another port', 'localhost:1'],
    ['no port', 'localhost'],
  ])('refuses a Host header with %s', async (_name, host) => {
    const { port } = await start()
    const { ended } = rawClient(port, 'GET /v1/health HTTP/1.1', `Host: ${host}`, 'Connection: close', '', '')
    expect(await ended).toMatch(/^HTTP\/1\.1 421 .*HOST_NOT_ALLOWED/s)
  })

  it('checks the Host header even when the request line names the right host', async () => {
    const { port } = await start()
    const target = `http://127.0.0.1:${port}/v1/health`
    const { ended } = rawClient(port, `GET ${target} HTTP/1.1`, 'Host: attacker.example', 'Connection: close', '', '')
    expect(await ended).toMatch(/^HTTP\/1\.1 421 /)
  })

  it.each([
    ['no Host header', ['GET /v1/health HTTP/1.1']],
    ['two Host headers', ['GET /v1/health HTTP/1.1', 'Host: localhost', 'Host: attacker.example']],
    ['a Host header that is none', ['GET /v1/health HTTP/1.1', 'Host: local host:1/x']],
    ['a target that is none', ['GET * HTTP/1.1', 'Host: localhost']],
    ['no HTTP', ['hello']],
  ])('answers %s with 400', async (_name, lines) => {
    const { port } = await start()
    const { ended } = rawClient(port, ...lines, 'Connection: close', '', '')
    expect(await ended).toMatch(/^HTTP\/1\.1 4(00|21) /)
  })

  it('does not let dot segments climb, as nothing outside the routes is served', async () => {
    const { port, host } = await start()
    for (const path of ['/v1/sessions/../../etc/passwd', '/v1/sessions/ops/%2e%2e/%2e%2e/secret', '/..%2f..%2fetc']) {
      const head = [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, AUTH, 'Connection: close', '', '']
      expect(await rawClient(port, ...head).ended, path).toMatch(/^HTTP\/1\.1 40[04] /)
    }
    expect(host.calls).toEqual([])
  })

  it('refuses a declared body over the bound before it is sent', async () => {
    const { port } = await start()
    const { ended } = rawClient(
      port,
      `POST ${SEND} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      AUTH,
      'Content-Type: application/json',
      'Content-Length: 999999999',
      '',
      '',
    )
    expect(await ended).toMatch(/^HTTP\/1\.1 413 .*BODY_TOO_LARGE/s)
  })

  it('refuses a chunked body once it is over the bound, though it never says how long it is', async () => {
    const { fetch, host } = await start()
    let chunks = 0
    const body = new ReadableStream({
      pull(controller) {
        chunks += 1
        controller.enqueue(Buffer.alloc(16 * 1024, 32))
        if (chunks > 64) controller.close()
      },
    })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' }
    const response = await fetch(SEND, init as RequestInit)
    expect(await errorOf(response)).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' })
    expect(host.calls).toEqual([])
  })

  it('takes a chunked body within the bound', async () => {
    const { fetch } = await start()
    const body = new ReadableStream({
      start(controller) {
        for (const part of ['{"te', 'xt":"gr', 'üße"}']) controller.enqueue(Buffer.from(part))
        controller.close()
      },
    })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' }
    expect((await fetch(SEND, init as RequestInit)).status).toBe(202)
  })

  it('ends a connection whose headers never come to an end', async () => {
    const { port } = await start({ headersTimeoutMs: 100, requestTimeoutMs: 200 })
    const { ended } = rawClient(port, 'GET /v1/health HTTP/1.1', 'X-Slow: ')
    expect(await ended).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('ends a connection whose body never comes to an end', async () => {
    const { port, host } = await start({ headersTimeoutMs: 100, requestTimeoutMs: 200 })
    const { ended } = rawClient(
      port,
      `POST ${SEND} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      AUTH,
      'Content-Type: application/json',
      'Content-Length: 100',
      '',
      '{"text":',
    )
    await ended
    expect(host.calls).toEqual([])
  })

  it('refuses headers over their bound', async () => {
    const { port } = await start()
    const { ended } = rawClient(port, 'GET /v1/health HTTP/1.1', `X-Big: ${'x'.repeat(20_000)}`, '', '')
    expect(await ended).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('limits the rate by the address of the client', async () => {
    const { fetch } = await start({}, apiFixture({ requestsPerSecond: 1 }))
    const statuses = [(await fetch('/v1/health')).status, (await fetch('/v1/health')).status]
    expect(statuses).toEqual([200, 429])
  })

  it('close lets a request under way finish and takes no new one', async () => {
    const { fetch, host, server } = await start()
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    const { listSessions } = host
    host.listSessions = async (query) => {
      ask()
      await held
      return listSessions.call(host, query)
    }
    const answer = fetch('/v1/sessions')
    await asked
    const closed = server.close()
    await expect(fetch('/v1/health')).rejects.toThrow()
    release()
    expect((await answer).status).toBe(200)
    await closed
    await server.close()
  })

  it('close cuts what outlasts the grace', async () => {
    const { fetch, host, server } = await start({ closeGraceMs: 50 })
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    host.listSessions = () => {
      ask()
      return new Promise(() => {})
    }
    const answer = fetch('/v1/sessions')
    const refused = expect(answer).rejects.toThrow()
    await asked
    await server.close()
    await refused
  })
})
