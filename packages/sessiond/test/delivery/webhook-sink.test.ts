import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BAD_PORTS } from '../../src/config/bad-ports.ts'
import { createSinks } from '../../src/delivery/create-sinks.ts'
import { signWebhook } from '../../src/delivery/sign-webhook.ts'
import type { SinkOutcome } from '../../src/delivery/sink.ts'
import { WebhookSink } from '../../src/delivery/webhook-sink.ts'
import type { Reply } from '../../src/model/reply.ts'
import { realWorld } from '../../src/world.ts'
import { DeliveryFixture, POLICY } from './delivery-fixture.ts'
import { WebhookServer } from './webhook-server.ts'

const SECRET = 'a secret'
const NOW_MS = 1_900_000_000_999

const REPLY: Reply = {
  id: 'r1',
  sessionId: 'ops/main.1',
  group: 'ops',
  epoch: 7,
  seq: 1,
  inReplyTo: 'm1',
  kind: 'chat',
  content: '{"text":"größe \\n fertig","more":[1]}',
  createdAtMs: Date.UTC(2030, 0, 2, 3, 4, 5, 6),
  deliverAfterMs: 0,
  address: { platformId: 'C1', channelType: 'slack', threadId: null },
}

let receiver: WebhookServer
beforeEach(async () => {
  receiver = await WebhookServer.listen()
})
afterEach(() => receiver.close())

function deliver(
  config: Partial<ConstructorParameters<typeof WebhookSink>[0]['config']> = {},
  reply: Partial<Reply> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<SinkOutcome> {
  const sink = new WebhookSink({
    config: { name: 'hook', url: receiver.url, secret: SECRET, timeoutMs: 20_000, ...config },
    installId: 'i1',
    now: () => NOW_MS,
  })
  return sink.deliver({ ...REPLY, ...reply }, { attempt: 2, quote: 'is it ready?', signal })
}

function answerWith(status: number, headers: Record<string, string> = {}, body = ''): void {
  receiver.answer = (response) => void response.writeHead(status, headers).end(body)
}

describe('WebhookSink', () => {
  it('posts the reply as JSON with its delivery key, attempt and addresses', async () => {
    expect(await deliver()).toEqual({ confirmed: true, platformMessageId: null })
    const [request] = receiver.received
    expect(request).toMatchObject({
      method: 'POST',
      path: '/hook',
      headers: {
        'content-type': 'application/json',
        'x-sessiond-delivery': 'i1/hook/r1',
        'x-sessiond-attempt': '2',
      },
    })
    expect(JSON.parse(request?.body ?? '')).toEqual({
      id: 'r1',
      sessionId: 'ops/main.1',
      group: 'ops',
      session: 'main.1',
      epoch: 7,
      inReplyTo: 'm1',
      quote: 'is it ready?',
      kind: 'chat',
      text: 'größe \n fertig',
      content: { text: 'größe \n fertig', more: [1] },
      createdAt: '2030-01-02T03:04:05.006Z',
      platformId: 'C1',
      channelType: 'slack',
      threadId: null,
    })
  })

  it('signs exactly the bytes it posts, with the time', async () => {
    await deliver()
    const request = receiver.received[0]
    const expected = createHmac('sha256', SECRET).update(`1900000000.${request?.body}`).digest('hex')
    expect(request?.headers['x-sessiond-signature']).toBe(`t=1900000000,v1=${expected}`)
  })

  it('signs as OpenSSL does', () => {
    // printf '1.{}' | openssl dgst -sha256 -hmac key
    const digest = '1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224'
    expect(signWebhook('key', '{}', 1999)).toBe(`t=1,v1=${digest}`)
  })

  it('sends no signature where no secret is configured', async () => {
    await deliver({ secret: null })
    expect(receiver.received[0]?.headers).not.toHaveProperty('x-sessiond-signature')
  })

  it('passes content that is no JSON on as the text it is', async () => {
    await deliver({}, { content: 'not {json' })
    const body = JSON.parse(receiver.received[0]?.body ?? '') as Record<string, unknown>
    expect(body.content).toBe('not {json')
    expect(body).not.toHaveProperty('text')
  })

  it.each([
    ['a string', '{"messageId":"ts-1"}', 'ts-1'],
    ['a number', '{"messageId":17}', '17'],
    ['an object', '{"messageId":{}}', null],
    ['another property', '{"id":"ts-1"}', null],
    ['no JSON', 'ok', null],
    ['null', 'null', null],
    ['a very long one', JSON.stringify({ messageId: 'x'.repeat(5000) }), 'x'.repeat(256)],
    ['one behind 64 KB', `${' '.repeat(70_000)}{"messageId":"ts-1"}`, null],
  ])('takes the message id of a confirming answer: %s', async (_name, body, platformMessageId) => {
    answerWith(200, {}, body)
    expect(await deliver()).toEqual({ confirmed: true, platformMessageId })
  })

  it.each([200, 201, 202, 204])('(B9) takes %i as confirmation', async (status) => {
    answerWith(status)
    expect(await deliver()).toMatchObject({ confirmed: true })
  })

  it('takes 200 as confirmation though its body never ends', async () => {
    receiver.answer = (response) => void response.writeHead(200).write('{"messageId":')
    expect(await deliver({ timeoutMs: 300 })).toEqual({ confirmed: true, platformMessageId: null })
  })

  it('takes 200 as confirmation though the connection breaks in its body', async () => {
    receiver.answer = (response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{', () => response.destroy())
    }
    expect(await deliver()).toEqual({ confirmed: true, platformMessageId: null })
  })

  it('reads no more than a bounded part of an endless answer', async () => {
    receiver.answer = (response) => {
      const flood = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
        response.once('drain', flood)
      }
      flood()
    }
    expect(await deliver()).toEqual({ confirmed: true, platformMessageId: null })
  })

  it.each([400, 401, 403, 404, 410, 422])('(B11) takes %i as permanent', async (status) => {
    answerWith(status, {}, 'you said: something private')
    expect(await deliver()).toEqual({ confirmed: false, permanent: true, error: `HTTP ${status}` })
  })

  it.each([408, 409, 425, 500, 502, 503])('takes %i as one that may pass', async (status) => {
    answerWith(status)
    expect(await deliver()).toEqual({ confirmed: false, permanent: false, error: `HTTP ${status}` })
  })

  it('passes on how long a 429 asks to wait', async () => {
    answerWith(429, { 'retry-after': '3' })
    expect(await deliver()).toMatchObject({ permanent: false, retryAfterMs: 3000 })
  })

  it('follows no redirect: the reply stays where it was configured to go', async () => {
    const elsewhere = await WebhookServer.listen()
    answerWith(307, { location: elsewhere.url })
    expect(await deliver()).toMatchObject({ confirmed: false, permanent: true })
    expect(elsewhere.received).toEqual([])
    await elsewhere.close()
  })

  it('gives a receiver that never answers its time-out and no more', async () => {
    receiver.answer = () => {}
    expect(await deliver({ timeoutMs: 200 })).toEqual({
      confirmed: false,
      permanent: false,
      error: 'no answer within 200 ms',
    })
  })

  it('ends at once when its signal aborts', async () => {
    const abort = new AbortController()
    receiver.answer = () => abort.abort()
    expect(await deliver({}, {}, abort.signal)).toMatchObject({ confirmed: false, permanent: false })
  })

  it('takes a connection closed without an answer, or never opened, as one that may pass', async () => {
    receiver.answer = (response) => void response.destroy()
    expect(await deliver()).toMatchObject({ confirmed: false, permanent: false })
    const { url } = receiver
    await receiver.close()
    const refused = await deliver({ url })
    expect(refused).toEqual({ confirmed: false, permanent: false, error: 'the request failed (ECONNREFUSED)' })
    receiver = await WebhookServer.listen()
  })

  it.each([...BAD_PORTS].filter((port) => port !== 0))('names port %i as one that fetch forbids', async (port) => {
    const error = 'the request failed (fetch forbids this port)'
    expect(await deliver({ url: `http://127.0.0.1:${port}/hook` })).toMatchObject({ confirmed: false, error })
  })

  it('(G10) repeats neither the URL nor the body nor the secret in an error', async () => {
    const { url } = receiver
    await receiver.close()
    const secretUrl = `${url}?key=hidden`
    const outcome = JSON.stringify(await deliver({ url: secretUrl }))
    expect(outcome).not.toMatch(/hidden|größe|a secret/)
    receiver = await WebhookServer.listen()
  })
})

describe('DeliveryLoop with webhooks', () => {
  it('delivers in order through 500, 429 with Retry-After and a hang, with one key per reply', async () => {
    const fixture = await DeliveryFixture.open()
    const webhook = { name: 'hook', url: receiver.url, secret: SECRET, ...POLICY, timeoutMs: 1500, maxAttempts: 5 }
    const sinks = createSinks({ sinks: new Map([['hook', webhook]]) }, { installId: 'i1', world: realWorld })
    const loop = fixture.loop([...sinks.values()])
    receiver.answer = (response, nth) => {
      if (nth === 0) response.writeHead(500).end()
      else if (nth === 1) response.writeHead(429, { 'retry-after': '1' }).end()
      else if (nth > 2) response.writeHead(200).end('{"messageId":"ts"}')
    }
    await fixture.reply('g/s', ['one', 'two'], ['hook'])
    loop.kick()
    await fixture.untilOutcomes([
      'g-s-1 deliveryRetried',
      'g-s-1 deliveryRetried',
      'g-s-1 deliveryRetried',
      'g-s-1 delivered',
      'g-s-3 delivered',
    ])
    const keys = receiver.received.map(({ headers }) => headers['x-sessiond-delivery'])
    expect(keys).toEqual([...new Array(4).fill('i1/hook/g-s-1'), 'i1/hook/g-s-3'])
    await fixture.close()
  })

  it('(B12) delivers to one receiver while another hangs', async () => {
    const fixture = await DeliveryFixture.open()
    const hanging = await WebhookServer.listen()
    hanging.answer = () => {}
    const policy = { secret: null, ...POLICY, concurrency: 1 }
    const sinks = createSinks(
      {
        sinks: new Map([
          ['bad', { name: 'bad', url: hanging.url, ...policy }],
          ['good', { name: 'good', url: receiver.url, ...policy }],
        ]),
      },
      { installId: 'i1', world: realWorld },
    )
    const loop = fixture.loop([...sinks.values()])
    await fixture.reply('g/s', ['one', 'two'], ['bad', 'good'])
    loop.kick()
    await fixture.untilOutcomes(['g-s-1 delivered', 'g-s-3 delivered'])
    expect(receiver.received).toHaveLength(2)
    expect(hanging.received).toHaveLength(1)
    await fixture.close()
    await hanging.close()
  })
})
