import { afterEach, describe, expect, it, vi } from 'vitest'
import { FakeWorld } from '../../../testkit/src/fake-world.ts'
import { apiFixture, errorOf, TOKEN } from './api-fixture.ts'
import { REPLY } from './fake-host.ts'
import type { RealServer } from './real-server.ts'
import { rawClient, realServer } from './real-server.ts'
import { SseClient } from './sse-client.ts'

const running: RealServer[] = []
afterEach(async () => {
  for (const { server } of running.splice(0)) await server.close()
})

async function start(fixture = apiFixture(), options = {}): Promise<RealServer> {
  const server = await realServer(options, fixture)
  running.push(server)
  return server
}

async function subscribe({ fetch }: RealServer, query = '', headers: Record<string, string> = {}): Promise<SseClient> {
  const response = await fetch(`/v1/events${query}`, { headers })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  return new SseClient(response)
}

describe('the event stream', () => {
  it('tells live events with their journal id and type', async () => {
    const server = await start()
    const client = await subscribe(server)
    server.host.emit('message:accepted', 'ops/main')
    server.host.emit('reply:written', 'ops/main', { reply: REPLY })
    const [first, second] = await client.until(2)
    expect(first).toMatchObject({ id: '1', event: 'message:accepted', data: { id: 1, sessionId: 'ops/main' } })
    expect(second).toMatchObject({ id: '2', event: 'reply:written', data: { reply: REPLY } })
    await client.cancel()
  })

  it('begins where the answer began, so that an event in between is not missed', async () => {
    const server = await start()
    server.host.emit('host:started', 'ops/main')
    const { lastEventId } = server.host
    server.host.lastEventId = async () => {
      const id = await lastEventId.call(server.host)
      server.host.emit('message:accepted', 'ops/main')
      return id
    }
    const client = await subscribe(server)
    expect((await client.until(1)).map(({ id }) => id)).toEqual(['2'])
    await client.cancel()
  })

  it('resumes after Last-Event-ID, which goes before ?after', async () => {
    const server = await start()
    for (let event = 0; event < 5; event += 1) server.host.emit('message:accepted', 'ops/main')
    const byQuery = await subscribe(server, '?after=1')
    expect((await byQuery.until(4)).map(({ id }) => id)).toEqual(['2', '3', '4', '5'])
    const byHeader = await subscribe(server, '?after=1', { 'Last-Event-ID': '3' })
    expect((await byHeader.until(2)).map(({ id }) => id)).toEqual(['4', '5'])
    const fromStart = await subscribe(server, '?after=0')
    expect(await fromStart.until(5)).toHaveLength(5)
    for (const client of [byQuery, byHeader, fromStart]) await client.cancel()
  })

  it('tells the events of one session alone', async () => {
    const server = await start()
    const client = await subscribe(server, '?session=ops/main')
    server.host.emit('message:accepted', 'ops/other')
    server.host.emit('message:completed', 'ops/main')
    expect((await client.until(1)).map(({ event }) => event)).toEqual(['message:completed'])
    await client.cancel()
  })

  it('carries whatever a run wrote in one frame', async () => {
    const server = await start()
    const client = await subscribe(server)
    const content = JSON.stringify({ text: 'a\n\nid: 99\nevent: forged\r\n\u2028\u0000{"}' })
    server.host.emit('reply:written', 'ops/main', { reply: { ...REPLY, content } })
    server.host.emit('message:completed', 'ops/main')
    const events = await client.until(2)
    expect(events.map(({ id, event }) => [id, event])).toEqual([
      ['1', 'reply:written'],
      ['2', 'message:completed'],
    ])
    expect(events[0]?.data.reply?.content).toBe(content)
    await client.cancel()
  })

  it.each([
    ['an id of another store', '?after=7', {}, 'ahead of the newest'],
    ['a Last-Event-ID that is none', '', { 'Last-Event-ID': 'x' }, 'Last-Event-ID'],
  ])('refuses %s with 400, so that a client does not wait for ever', async (_name, query, headers, words) => {
    const { fetch } = await start()
    const error = await errorOf(await fetch(`/v1/events${query}`, { headers }))
    expect(error).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    expect(error.message).toContain(words)
  })

  it('lets go of the host when the client goes away', async () => {
    const server = await start()
    const client = await subscribe(server)
    await vi.waitFor(() => expect(server.host.readers).toBe(1))
    await client.cancel()
    await vi.waitFor(() => expect(server.host.readers).toBe(0))
  })

  it('opens nothing for a HEAD request', async () => {
    const server = await start()
    const response = await server.fetch('/v1/events', { method: 'HEAD' })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    expect(server.host.calls.map(({ method }) => method)).toEqual(['lastEventId'])
  })

  it('ends in an orderly way, at once, when the server closes', async () => {
    const server = await start(apiFixture(), { closeGraceMs: 60_000 })
    const clients = await Promise.all(Array.from({ length: 20 }, () => subscribe(server)))
    await server.server.close()
    await Promise.all(clients.map(({ ended }) => ended))
    await vi.waitFor(() => expect(server.host.readers).toBe(0))
    expect(server.log).toEqual([])
  })

  it('ends when its source breaks, and the log says why', async () => {
    const server = await start()
    const cause = new Error('the journal is unreadable')
    server.host.emit('message:accepted', 'ops/main')
    const { events } = server.host
    server.host.events = async function* (query) {
      for await (const event of events.call(server.host, query)) {
        yield event
        throw cause
      }
    }
    const client = await subscribe(server, '?after=0')
    await client.ended
    expect(client.received).toHaveLength(1)
    expect(server.log).toMatchObject([{ fields: { where: 'GET /v1/events', err: cause } }])
  })

  it('says something every 15 s, so that a dead connection is noticed', async () => {
    const world = new FakeWorld()
    const server = await start(apiFixture({}, world))
    const client = await subscribe(server)
    await world.advance(14_999)
    expect(client.comments).toEqual([])
    await world.advance(1)
    await vi.waitFor(() => expect(client.comments).toEqual(['keep-alive']))
    await world.advance(15_000)
    await vi.waitFor(() => expect(client.comments).toHaveLength(2))
    await client.cancel()
    await vi.waitFor(() => expect(world.timerCount()).toBe(0))
  })

  it('refuses more streams than it can hold, and takes one again when another has gone', async () => {
    const server = await start()
    const clients = await Promise.all(Array.from({ length: 256 }, () => subscribe(server)))
    const refused = await server.fetch('/v1/events')
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'RATE_LIMITED' })
    await clients[0]?.cancel()
    await vi.waitFor(async () => {
      const again = await server.fetch('/v1/events')
      expect(again.status).toBe(200)
      await again.body?.cancel()
    })
    await Promise.all(clients.map((client) => client.cancel()))
  })

  it('makes its source wait for a slow client, cuts one that stops reading, and lets it resume', async () => {
    const world = new FakeWorld()
    const server = await start(apiFixture({}, world))
    let given = 0
    const big = 'x'.repeat(64 * 1024)
    for (let event = 0; event < 2000; event += 1) server.host.emit('message:accepted', 'ops/main')
    const { events } = server.host
    server.host.events = async function* (query) {
      for await (const event of events.call(server.host, query)) {
        given = event.id
        yield { ...event, detail: { big } }
      }
    }
    const { socket, ended } = rawClient(
      server.port,
      'GET /v1/events?after=0 HTTP/1.1',
      `Host: 127.0.0.1:${server.port}`,
      `Authorization: Bearer ${TOKEN}`,
      '',
      '',
    )
    socket.pause()
    // It waits once the timer that will cut it is there beside the keep-alive.
    await vi.waitFor(() => expect(world.timerCount()).toBe(2), { timeout: 15_000 })
    const givenBefore = given
    expect(givenBefore).toBeLessThan(1000)
    await world.advance(29_999)
    expect([server.host.readers, given]).toEqual([1, givenBefore])
    await world.advance(1)
    await vi.waitFor(() => expect(server.host.readers).toBe(0))
    socket.resume()
    const received = await ended
    const lastId = [...received.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? '0'
    // What waited in the host was dropped, not pressed on a client that does not read.
    expect(Number(lastId)).toBeLessThan(givenBefore)
    const client = await subscribe(server, '', { 'Last-Event-ID': String(Number(lastId) - 1) })
    expect((await client.until(1))[0]?.id).toBe(lastId)
    await client.cancel()
  })

  it('waits for a slow client that does read, and loses nothing', async () => {
    const server = await start()
    const detail = { big: 'y'.repeat(32 * 1024) }
    for (let event = 0; event < 300; event += 1) server.host.emit('message:accepted', 'ops/main', { detail })
    const client = await subscribe(server, '?after=0')
    const ids = (await client.until(300)).map(({ id }) => Number(id))
    expect(ids).toEqual(Array.from({ length: 300 }, (_, index) => index + 1))
    await client.cancel()
  })
})
