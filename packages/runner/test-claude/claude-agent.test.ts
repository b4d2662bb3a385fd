import { randomUUID } from 'node:crypto'
import { type ModelAnswer, type ModelScript, says } from '@sessiond/testkit/model-server'
import { afterEach, describe, expect, it } from 'vitest'
import { SESSION_KEY } from '../src/agents/claude/index.ts'
import { RetryLater } from '../src/retry-later.ts'
import { ClaudeHarness } from './claude-harness.ts'

let harness: ClaudeHarness

afterEach(async () => {
  expect(await harness.close()).toEqual([])
})

/** One message from a fresh agent, answered by the script. */
async function turn(script: ModelScript, env: Record<string, string> = {}) {
  harness = await ClaudeHarness.start(script)
  const agent = harness.agent({ env })
  const context = harness.context('hello')
  return { agent, context, answer: harness.ask(agent, context) }
}

/** The clock says a little before that a question goes out. */
async function untilAsked(): Promise<void> {
  await expect.poll(() => harness.server.turns.length, { timeout: 20_000 }).toBe(1)
}

const bash = (command: string, more: object = {}) => ({ name: 'Bash', input: { command, ...more } })
/** What fails for good fails at once. */
const NO_RETRY = { CLAUDE_CODE_MAX_RETRIES: '0' }

describe('the Claude agent: conversations', () => {
  it('answers with the last text, and has waited for the model meanwhile', async () => {
    const { context, answer } = await turn([[says.text('hi there')]])
    expect(await answer).toBe('hi there')
    expect(context.outline()).toEqual(['wait', 'streaming', 'wait-end'])
    expect(context.of('progress').length).toBeGreaterThan(3)
    expect(harness.asked(0)).toContain('hello')
    expect(JSON.stringify(harness.server.turns[0]?.body?.messages)).toContain(String.raw`machine's clock.\n\nhello`)
  })

  it('keeps one query open between messages, and takes the conversation up again in the next run', async () => {
    harness = await ClaudeHarness.start([[says.text('one')], [says.text('two')], [says.text('three')]])
    const first = harness.agent()
    expect(await harness.ask(first, harness.context('first question'))).toBe('one')
    const session = harness.state.get(SESSION_KEY)
    const living = await harness.living()
    expect(living.length).toBe(1)
    expect(await harness.ask(first, harness.context('second question'))).toBe('two')
    expect([await harness.living(), harness.state.get(SESSION_KEY)]).toEqual([living, session])
    await first[Symbol.asyncDispose]()
    expect(await harness.living()).toEqual([])
    expect(await harness.ask(harness.agent(), harness.context('third question'))).toBe('three')
    expect(harness.asked(-1)).toEqual(['first question', 'one', 'second question', 'two', 'third question'])
    expect(harness.state.get(SESSION_KEY)).toBe(session)
  })

  it('begins a new conversation when the SDK does not know its own any more, and loses no message', async () => {
    harness = await ClaudeHarness.start([[says.text('anew')]])
    const forgotten = randomUUID()
    harness.state.set(SESSION_KEY, forgotten)
    const context = harness.context('do not lose me')
    expect(await harness.ask(harness.agent(), context)).toBe('anew')
    expect(harness.asked(0)).toContain('do not lose me')
    expect(context.of('progress').some(({ text }) => text?.includes(forgotten))).toBe(true)
    expect(harness.state.get(SESSION_KEY)).toMatch(/^[0-9a-f-]{36}$/)
    expect(harness.state.get(SESSION_KEY)).not.toBe(forgotten)
  })

  it('goes on after the SDK was killed between two messages', async () => {
    harness = await ClaudeHarness.start([[says.text('one')], [says.text('two')]])
    const agent = harness.agent()
    await harness.ask(agent, harness.context('first question'))
    for (const { pid } of await harness.living()) process.kill(pid, 'SIGKILL')
    // Asked at once: nobody has heard of it yet.
    expect(await harness.ask(agent, harness.context('second question'))).toBe('two')
    expect(harness.asked(-1)).toContain('first question')
  })
})

describe('the Claude agent: tools', () => {
  it('opens a lease with the time that was declared, and closes it', async () => {
    const { context, answer } = await turn([[says.tools(bash('echo hi', { timeout: 30_000 }))], [says.text('done')]])
    expect(await answer).toBe('done')
    expect(context.of('tool')).toMatchObject([{ name: 'Bash', options: { timeoutMs: 30_000, background: false } }])
    expect(context.openTools()).toEqual([])
    expect(context.outline()).toEqual([
      'wait',
      'streaming',
      'Bash',
      'wait-end',
      'tool-end',
      ...['wait', 'streaming', 'wait-end'],
    ])
  })

  it('tells a tool in the background from one that is waited for', async () => {
    const call = bash('tail -f /dev/null', { run_in_background: true })
    const { context, answer } = await turn([[says.tools(call)], [says.text('started')]])
    expect(await answer).toBe('started')
    expect(context.of('tool')).toMatchObject([{ name: 'Bash', options: { background: true } }])
  })

  it('tells tools that run beside each other apart', async () => {
    const calls = [bash('ls -d /', { timeout: 11_000 }), bash('ls -d /tmp', { timeout: 12_000 })]
    const { context, answer } = await turn([[says.tools(...calls)], [says.text('both')]])
    expect(await answer).toBe('both')
    expect(context.of('tool').map(({ options }) => options.timeoutMs)).toEqual([11_000, 12_000])
    const [first, second] = context.of('tool').map((move) => context.moves.indexOf(move))
    const firstEnd = context.moves.findIndex(({ do: kind }) => kind === 'tool-end')
    expect([first, second].every((index) => index !== undefined && index < firstEnd)).toBe(true)
    expect(context.openTools()).toEqual([])
  })

  it('closes the lease of a tool that fails', async () => {
    const calls = [bash('exit 3'), { name: 'Read', input: { file_path: '/nowhere' } }]
    const { context, answer } = await turn([[says.tools(...calls)], [says.text('sorry')]])
    expect(await answer).toBe('sorry')
    expect(context.of('tool').map(({ name }) => name)).toEqual(['Bash', 'Read'])
    expect(context.openTools()).toEqual([])
  })

  it('refuses a tool that waits for a person', async () => {
    const options = [{ label: 'a', description: 'a' }]
    const input = { questions: [{ question: 'which?', header: 'h', multiSelect: false, options }] }
    const { context, answer } = await turn([[says.tool('AskUserQuestion', input)], [says.text('by myself')]])
    expect(await answer).toBe('by myself')
    expect(context.of('tool')).toEqual([])
    expect(harness.server.turns[0]?.body?.tools?.map(({ name }) => name)).not.toContain('AskUserQuestion')
    expect(JSON.stringify(harness.server.turns[1]?.body?.messages).includes('"is_error":true')).toBe(true)
  })

  it('waits for an agent it started in the background, and answers with what came of it', async () => {
    const call = { name: 'Agent', input: { description: 'd', prompt: 'inner task', subagent_type: 'general-purpose' } }
    let letGo = () => {}
    const until = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const { context, answer } = await turn(({ body, isTurn }): ModelAnswer => {
      const asked = JSON.stringify(body?.messages ?? '')
      if (!isTurn) return [says.text('ok')]
      if (asked.includes('inner found it')) return [says.text('it was found')]
      if (asked.includes('launched')) return [says.text('an agent is at it')]
      if (asked.includes('hello')) return [says.tools(call)]
      return [says.hold(until), says.text('inner found it')]
    })
    await context.until('say')
    expect(context.openTools()).toEqual(['Agent'])
    letGo()
    expect(await answer).toBe('it was found')
    expect(context.of('say').map(({ text }) => text)).toEqual(['an agent is at it'])
    expect(context.openTools()).toEqual([])
  })
})

describe('the Claude agent: a model that lets wait', () => {
  it('takes keep-alives for no progress', async () => {
    const { context, answer } = await turn([[says.begin, says.pings(22, 1_000), says.text('at last')]])
    await context.until('ping')
    const atFirst = context.of('progress').length
    await context.until('ping', 2)
    expect(context.of('progress').length).toBe(atFirst)
    expect(await answer).toBe('at last')
  })

  it('tells that it is held off by a rate limit, for how long, and goes on after it', async () => {
    const { context, answer } = await turn([[says.rateLimited(1)], [says.text('now')]])
    await context.until('held-off')
    expect(context.of('held-off')).toMatchObject([{ because: 'rate-limit' }])
    expect(context.of('held-off')[0]?.forMs).toBeGreaterThanOrEqual(1_000)
    expect(await answer).toBe('now')
  })

  it('tells that it is held off by an outage', async () => {
    const { context, answer } = await turn([[says.overloaded], [says.broken], [says.text('now')]])
    expect(await answer).toBe('now')
    expect(context.of('held-off').map(({ because }) => because)).toEqual(['outage', 'outage'])
  })

  it('goes on after a connection was cut', async () => {
    const { context, answer } = await turn([[says.reset], [says.text('now')]])
    expect(await answer).toBe('now')
    expect(context.of('held-off').length).toBe(1)
  })
})

describe('the Claude agent: a turn that fails', () => {
  it('asks to be tried later when the end is a rate limit', async () => {
    const { answer } = await turn([[says.rateLimited(18_000)]], NO_RETRY)
    const error = await answer.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RetryLater)
    expect((error as RetryLater).retryAtMs(0), 'nobody said when').toBeNull()
    expect((error as RetryLater).trouble).toBe('rate-limit')
    expect((error as RetryLater).message).toContain('429')
  })

  it('asks to be tried at the reset when it is told', async () => {
    const resetAtSeconds = Math.floor(Date.now() / 1_000) + 3_600
    const limited: ModelAnswer = [
      {
        do: 'fail',
        status: 429,
        headers: {
          'anthropic-ratelimit-unified-status': 'rejected',
          'anthropic-ratelimit-unified-reset': String(resetAtSeconds),
          'anthropic-ratelimit-unified-representative-claim': 'five_hour',
        },
      },
    ]
    // Only a subscription's limits are told with their reset.
    harness = await ClaudeHarness.start([limited])
    const env = { ...NO_RETRY, ANTHROPIC_API_KEY: undefined, CLAUDE_CODE_OAUTH_TOKEN: 'any' }
    const error = await harness.ask(harness.agent({ env }), harness.context('hello')).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RetryLater)
    expect((error as RetryLater).retryAtMs(Date.now())).toBe(resetAtSeconds * 1_000)
  })

  it('asks to be tried later when the end is an outage', async () => {
    const { answer } = await turn([[says.overloaded]], NO_RETRY)
    await expect(answer).rejects.toBeInstanceOf(RetryLater)
  })

  it('fails plainly when the key is wrong, and answers the next message all the same', async () => {
    const { agent, answer } = await turn([[{ do: 'fail', status: 401 }], [says.text('better')]], NO_RETRY)
    const error = await answer.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(RetryLater)
    expect((error as Error).message).toContain('401')
    expect(await harness.ask(agent, harness.context('again'))).toBe('better')
  })
})

describe('the Claude agent: a process that fails', () => {
  it('says so when there is no such program', async () => {
    harness = await ClaudeHarness.start([])
    const agent = harness.agent({ pathToClaudeCodeExecutable: '/nowhere/claude' })
    await expect(harness.ask(agent, harness.context('hello'))).rejects.toThrow('/nowhere/claude')
  })

  it('fails when it is killed in the middle of a turn, and goes on with the next', async () => {
    const { agent, answer } = await turn([[says.stall], [says.text('back')]])
    await untilAsked()
    for (const { pid } of await harness.living()) process.kill(pid, 'SIGKILL')
    await expect(answer).rejects.toThrow('SIGKILL')
    // Whether the SDK had written the first to disk is its own affair; the host hands it out again.
    expect(await harness.ask(agent, harness.context('again'))).toBe('back')
  })
})

describe('the Claude agent: being stopped', () => {
  it('leaves no process behind when it is stopped in the middle of a tool', async () => {
    const { context, answer } = await turn([[says.tools(bash('tail -f /dev/null', { timeout: 500_000 }))]])
    await context.until('tool')
    const programs = async () => (await harness.living()).map(({ program }) => program)
    await expect.poll(programs, { timeout: 20_000 }).toContain('tail')
    context.abort()
    await expect(answer).rejects.toThrow('the run has to stop')
    expect(await harness.living()).toEqual([])
    expect(context.openTools()).toEqual([])
  })

  it('leaves none behind when the model says nothing', async () => {
    const { context, answer } = await turn([[says.stall]])
    await untilAsked()
    context.abort()
    await expect(answer).rejects.toThrow('the run has to stop')
    expect(await harness.living()).toEqual([])
  })

  it('answers the next message after one was cancelled', async () => {
    const { agent, context, answer } = await turn([[says.stall], [says.text('next')]])
    await untilAsked()
    context.abort(new Error('the message was cancelled'))
    await expect(answer).rejects.toThrow('cancelled')
    expect(await harness.ask(agent, harness.context('another'))).toBe('next')
  })
})
