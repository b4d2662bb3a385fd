import { describe, expect, it } from 'vitest'
import { FakeContext } from '../../../test/fake-context.ts'
import { TurnClocks } from './turn-clocks.ts'

function clocks() {
  const context = new FakeContext({ workDir: '/work', text: '' })
  const clocks = new TurnClocks(context)
  const stream = (...types: string[]) => {
    for (const type of types) clocks.event({ type: 'stream_event', event: { type } })
  }
  const hook = (hook_event_name: string, id: string, tool_name = 'Bash', tool_input: unknown = {}) =>
    clocks.hook({ hook_event_name, tool_use_id: id, tool_name, tool_input })
  const system = (subtype: string, more: object = {}) => clocks.event({ type: 'system', subtype, ...more })
  const result = (id: string, more: object = {}) =>
    clocks.event({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: id }] }, ...more })
  return { context, clocks, stream, hook, system, result }
}

const REQUESTING = { status: 'requesting' }

describe('TurnClocks', () => {
  it('waits for a model from the request to the end of its answer', () => {
    const { context, stream, system } = clocks()
    system('status', REQUESTING)
    stream('message_start', 'ping', 'content_block_delta', 'message_stop')
    expect(context.moves.map(({ do: kind }) => kind)).toEqual(['wait', 'streaming', 'ping', 'progress', 'wait-end'])
  })

  it('takes what a timer sends for nothing at all', () => {
    const { context, clocks: given, system } = clocks()
    given.event({ type: 'tool_progress' })
    given.event({ type: 'a_kind_of_next_year' })
    system('status', { status: null })
    expect(context.moves).toEqual([])
  })

  it('opens a lease for each tool with its declared time and closes it by its id', () => {
    const { context, hook } = clocks()
    hook('PreToolUse', 'a', 'Bash', { timeout: 9_000 })
    hook('PreToolUse', 'b', 'Bash', { run_in_background: true })
    expect(context.of('tool').map(({ options }) => options)).toEqual([
      { timeoutMs: 9_000, background: false },
      { background: true },
    ])
    hook('PostToolUse', 'a')
    expect(context.openTools().length).toBe(1)
    hook('PostToolUseFailure', 'b')
    expect(context.openTools()).toEqual([])
  })

  it('does not take the hang of one tool for a wait, when another has returned', () => {
    const { context, hook, result } = clocks()
    hook('PreToolUse', 'a')
    hook('PreToolUse', 'b')
    hook('PostToolUse', 'a')
    result('a')
    expect(context.of('wait')).toEqual([])
    result('b')
    expect(context.of('wait').length).toBe(1)
  })

  it('counts one question once, though it is announced twice', () => {
    const { context, stream, system, result } = clocks()
    result('a')
    system('status', REQUESTING)
    expect(context.of('wait').length).toBe(1)
    stream('message_start')
    system('status', REQUESTING)
    expect(context.of('wait').length).toBe(2)
  })

  it.each([
    [{ error: 'rate_limit', error_status: 429 }, 'rate-limit'],
    [{ error: 'overloaded', error_status: 529 }, 'outage'],
    [{ error: 'server_error', error_status: 500 }, 'outage'],
    [{ error: 'unknown', error_status: null }, 'retry'],
    [{ error: 'authentication_failed', error_status: 401 }, 'retry'],
  ])('is held off: %j is a %s', (why, because) => {
    const { context, system } = clocks()
    system('status', REQUESTING)
    system('api_retry', { ...why, retry_delay_ms: 1_500 })
    expect(context.of('held-off')).toMatchObject([{ because, forMs: 1_500 }])
  })

  it('waits on behalf of an agent in the background, unless the turn itself waits', () => {
    const { context, clocks: given, hook, stream, system, result } = clocks()
    const ofAgent = { parent_tool_use_id: 'a' }
    hook('PreToolUse', 'a', 'Agent')
    system('task_started', { task_id: 't', tool_use_id: 'a', task_type: 'local_agent', is_backgrounded: true })
    expect(context.outline()).toEqual(['Agent', 'wait'])
    given.event({ type: 'assistant', ...ofAgent })
    expect(context.outline().at(-1)).toBe('wait-end')
    stream('message_start')
    const before = context.of('wait').length
    result('inner', ofAgent)
    expect(context.of('wait').length).toBe(before)
  })

  it('goes on waiting on behalf of an agent when the turn itself has its answer', () => {
    const { context, hook, stream, system, result } = clocks()
    hook('PreToolUse', 'a', 'Agent')
    system('task_started', { task_id: 't', tool_use_id: 'a', task_type: 'local_agent', is_backgrounded: true })
    result('a')
    stream('message_start', 'message_stop')
    expect(context.outline().slice(-3)).toEqual(['streaming', 'wait-end', 'wait'])
  })

  it("does not take the hang of an agent's tool for a wait", () => {
    const { context, clocks: given, hook, stream, system } = clocks()
    hook('PreToolUse', 'a', 'Agent')
    system('task_started', { task_id: 't', tool_use_id: 'a', task_type: 'local_agent', is_backgrounded: true })
    hook('PreToolUse', 'b')
    given.event({ type: 'assistant', parent_tool_use_id: 'a' })
    // The SDK tells of a shell that takes long as of a task.
    system('task_started', { task_id: 'u', tool_use_id: 'b', task_type: 'local_bash' })
    expect(context.outline().at(-1)).toBe('wait-end')
    stream('message_start', 'message_stop')
    expect(context.outline().at(-1)).toBe('wait-end')
  })

  it('has nothing open once the turn is over', () => {
    const { context, clocks: given, hook, system } = clocks()
    system('status', REQUESTING)
    hook('PreToolUse', 'a')
    given.end()
    expect(context.openTools()).toEqual([])
    expect(context.outline()).toEqual(['wait', 'Bash', 'tool-end', 'wait-end'])
  })
})
