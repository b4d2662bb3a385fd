import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errorBody } from './answer-frames.ts'
import type { ModelAnswer, ModelRequest, ModelRequestBody, ModelScript } from './model-script.ts'
import { playAnswer, sendJson } from './play-answer.ts'

export interface ModelServer {
  /** What `ANTHROPIC_BASE_URL` is set to. */
  readonly url: string
  /** Every request so far, in order of arrival. */
  readonly requests: readonly ModelRequest[]
  /** The questions a turn asked, those that the script's list answers. */
  readonly turns: readonly ModelRequest[]
  /** Ends every connection, also one that is being answered; resolves when the port is free. */
  close(): Promise<void>
}

/** Far more than any agent's first question, and still a bound. */
const MAX_BODY_BYTES = 64 * 1024 * 1024
/** What questions beside the turns get. */
const ASIDE: ModelAnswer = [{ do: 'text', text: 'ok' }]

/** Starts a model server on loopback that speaks the Messages API and says what its script says. */
export async function startModelServer(script: ModelScript): Promise<ModelServer> {
  const requests: ModelRequest[] = []
  const closing = new AbortController()
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => response.destroy())
  })

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController()
    response.once('close', () => left.abort())
    const request = await readRequest(incoming, requests.length)
    requests.push(request)
    const { method, path, body } = request
    if (method === 'POST' && path === '/v1/messages' && body !== null) {
      const signal = AbortSignal.any([left.signal, closing.signal])
      const model = body.model ?? 'scripted'
      return playAnswer(response, { answer: choose(request), model, isStreamed: body.stream === true, signal })
    }
    if (method === 'POST' && path === '/v1/messages/count_tokens') return sendJson(response, 200, { input_tokens: 10 })
    // Whatever else is asked for is not there, which every client copes with.
    sendJson(response, 404, errorBody(404))
  }

  function choose(request: ModelRequest): ModelAnswer {
    if (typeof script === 'function') return script(request)
    if (!request.isTurn) return ASIDE
    const asked = requests.filter(({ isTurn }) => isTurn).length
    return script[Math.min(asked, script.length) - 1] ?? ASIDE
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get turns() {
      return requests.filter(({ isTurn }) => isTurn)
    },
    async close() {
      closing.abort()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function readRequest(incoming: IncomingMessage, index: number): Promise<ModelRequest> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new RangeError(`a question is larger than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  const body = parseBody(Buffer.concat(chunks).toString('utf8'))
  const path = new URL(incoming.url ?? '/', 'http://loopback').pathname
  const isTurn = path === '/v1/messages' && (body?.tools?.length ?? 0) > 0
  return { index, method: incoming.method ?? '', path, headers: plainHeaders(incoming), body, isTurn }
}

function parseBody(text: string): ModelRequestBody | null {
  if (text === '') return null
  return JSON.parse(text) as ModelRequestBody
}

function plainHeaders(incoming: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]))
}
