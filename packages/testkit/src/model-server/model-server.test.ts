import { afterEach, describe, expect, it } from 'vitest'
import { type ModelScript, type ModelServer, says, startModelServer } from './index.ts'

let server: ModelServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

const TOOLS = [{ name: 'Bash' }]

async function ask(script: ModelScript, question: object = { stream: true, tools: TOOLS }): Promise<Response> {
  server ??= await startModelServer(script)
  return fetch(`${server.url}/v1/messages?beta=true`, { method: 'POST', body: JSON.stringify(question) })
}

interface Event {
  readonly type: string
  readonly delta?: { readonly text?: string; readonly partial_json?: string; readonly stop_reason?: string }
  readonly content_block?: { readonly type: string; readonly id?: string }
}

function eventsOf(stream: string): Event[] {
  return [...stream.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as Event)
}

async function typesOf(response: Response): Promise<string[]> {
  return eventsOf(await response.text()).map(({ type }) => type)
}

describe('the scripted model server', () => {
  it('streams a text as the Messages API does', async () => {
    const response = await ask([[says.text('hello')]])
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const events = eventsOf(await response.text())
    expect(events.map(({ type }) => type)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(events[2]?.delta?.text).toBe('hello')
    expect(events[4]?.delta?.stop_reason).toBe('end_turn')
  })

  it('gives the same answer in one piece to those who do not stream', async () => {
    const response = await ask([[says.thinking('hm'), says.text('hello')]], { tools: TOOLS, model: 'small' })
    expect(await response.json()).toMatchObject({
      model: 'small',
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'text', text: 'hello' },
      ],
      stop_reason: 'end_turn',
    })
  })

  it('asks for several tools at once, each under an id of its own', async () => {
    const calls = [
      { name: 'Bash', input: { command: 'a' } },
      { name: 'Read', input: { file_path: '/b' } },
    ]
    const events = eventsOf(await (await ask([[says.text('now'), says.tools(...calls)]])).text())
    const ids = events.flatMap(({ content_block }) => (content_block?.type === 'tool_use' ? [content_block.id] : []))
    expect(new Set(ids).size).toBe(2)
    const inputs = events.flatMap(({ delta }) => (delta?.partial_json === undefined ? [] : [delta.partial_json]))
    expect(inputs.map((input) => JSON.parse(input))).toEqual([{ command: 'a' }, { file_path: '/b' }])
    expect(events.find(({ type }) => type === 'message_delta')?.delta?.stop_reason).toBe('tool_use')
  })

  it('sends keep-alives before it says anything', async () => {
    const types = await typesOf(await ask([[says.begin, says.pings(2, 1), says.text('well')]]))
    expect(types.slice(0, 4)).toEqual(['message_start', 'ping', 'ping', 'content_block_start'])
  })

  it('answers turns in the order of its list, the last answer again and again, and other questions aside', async () => {
    const script = [[says.text('first')], [says.text('second')]]
    const texts: string[] = []
    for (const tools of [TOOLS, [], TOOLS, TOOLS]) {
      const answer = (await (await ask(script, { tools })).json()) as { content: [{ text: string }] }
      texts.push(answer.content[0].text)
    }
    expect(texts).toEqual(['first', 'ok', 'second', 'second'])
    expect([server?.requests.length, server?.turns.length]).toEqual([4, 3])
  })

  it('answers by what it was asked when its script is a function', async () => {
    const script: ModelScript = ({ body }) => [says.text(`you said ${String(body?.messages?.[0]?.content)}`)]
    const answer = await ask(script, { messages: [{ role: 'user', content: 'hi' }] })
    expect(await answer.json()).toMatchObject({ content: [{ text: 'you said hi' }] })
  })

  it('refuses with the status and the headers of a provider in trouble', async () => {
    const limited = await ask([[says.rateLimited(7)], [says.overloaded], [says.broken]])
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7'])
    expect(await limited.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
    const overloaded = await ask([])
    expect([overloaded.status, await overloaded.json()]).toMatchObject([529, { error: { type: 'overloaded_error' } }])
    expect((await ask([])).status).toBe(500)
  })

  it('fails as an event once its stream has begun', async () => {
    const response = await ask([[says.text('half'), says.overloaded]])
    expect(response.status).toBe(200)
    expect((await typesOf(response)).at(-1)).toBe('error')
  })

  it('holds its headers back until it is let go', async () => {
    let letGo = () => {}
    const until = new Promise<void>((resolve) => {
      letGo = resolve
    })
    let hasAnswered = false
    server = await startModelServer([[says.hold(until), says.wait(1), says.text('late')]])
    const answering = ask([]).then((response) => {
      hasAnswered = true
      return response
    })
    await fetch(`${server.url}/v1/messages/count_tokens`, { method: 'POST', body: '{}' })
    expect(hasAnswered).toBe(false)
    letGo()
    expect(await typesOf(await answering)).toContain('message_stop')
  })

  it('cuts a connection, before its headers or in the middle', async () => {
    await expect(ask([[says.reset], [says.text('half'), says.reset]])).rejects.toThrow()
    const half = await ask([])
    await expect(half.text()).rejects.toThrow()
  })

  it('closes though it stalls, before its headers and in the middle', async () => {
    const middle = await ask([[says.text('half'), says.stall], [says.stall]])
    const before = ask([])
    const closed = Promise.all([expect(middle.text()).rejects.toThrow(), expect(before).rejects.toThrow()])
    // The stalled question has to have arrived before the server closes on it.
    await expect.poll(() => server?.turns.length).toBe(2)
    await server?.close()
    await closed
    server = undefined
  })

  it('counts tokens, and has nothing else', async () => {
    server = await startModelServer([])
    const count = await fetch(`${server.url}/v1/messages/count_tokens`, { method: 'POST', body: '{}' })
    expect(await count.json()).toEqual({ input_tokens: 10 })
    expect((await fetch(`${server.url}/api/hello`, { method: 'HEAD' })).status).toBe(404)
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/messages/count_tokens', '/api/hello'])
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })
})
