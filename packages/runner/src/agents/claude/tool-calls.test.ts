import { describe, expect, it } from 'vitest'
import { ToolCalls } from './tool-calls.ts'

function follow() {
  const told: string[] = []
  const calls = new ToolCalls({
    started: ({ id, name, timeoutMs }) => told.push(`+${id} ${name} ${timeoutMs}`),
    ended: ({ id }, isOk) => told.push(`-${id} ${isOk}`),
  })
  const pre = (id: string, tool_name: string, tool_input: unknown = {}) =>
    calls.hook({ hook_event_name: 'PreToolUse', tool_use_id: id, tool_name, tool_input })
  const post = (id: string, hook_event_name = 'PostToolUse') => calls.hook({ hook_event_name, tool_use_id: id })
  const task = (subtype: string, more: object) => calls.event({ type: 'system', subtype, ...more })
  return { calls, told, pre, post, task }
}

const ofAgent = { task_id: 't1', tool_use_id: 'a', task_type: 'local_agent' }

describe('ToolCalls', () => {
  it('takes the time a shell command declares, and no other tool for declaring one', () => {
    const { told, pre } = follow()
    pre('a', 'Bash', { timeout: 5_000 })
    pre('b', 'Bash', { timeout: 'long' })
    pre('c', 'mcp__x__y', { timeout: 7 })
    pre('d', 'Bash', null)
    expect(told).toEqual(['+a Bash 5000', '+b Bash null', '+c mcp__x__y null', '+d Bash null'])
  })

  it('ends a call by its own id, once, well or not', () => {
    const { calls, told, pre, post } = follow()
    pre('a', 'Bash')
    pre('b', 'Bash')
    post('b', 'PostToolUseFailure')
    expect(calls.isAwaited).toBe(true)
    post('b')
    post('a')
    expect(told.slice(2)).toEqual(['-b false', '-a true'])
    expect(calls.isAwaited).toBe(false)
  })

  it('ends a call whose hook never comes by its result', () => {
    const { calls, told, pre } = follow()
    pre('a', 'Write')
    const content = [{ type: 'text' }, { type: 'tool_result', tool_use_id: 'a', is_error: true }]
    calls.event({ type: 'user', message: { content } })
    expect(told.at(-1)).toBe('-a false')
  })

  it('never begins what is refused', () => {
    const { told, pre } = follow()
    pre('a', 'AskUserQuestion')
    expect(told).toEqual([])
  })

  it('keeps an agent in the background open until its own notice', () => {
    const { calls, told, pre, post, task } = follow()
    pre('a', 'Agent')
    task('task_started', { ...ofAgent, is_backgrounded: true })
    post('a')
    expect([told.length, calls.hasAgents, calls.isAwaited]).toEqual([1, true, false])
    task('task_notification', { task_id: 't1', status: 'completed' })
    expect([told.at(-1), calls.hasAgents]).toEqual(['-a true', false])
  })

  it('ends an agent that is waited for with its call, unless it was moved to the background meanwhile', () => {
    const held = follow()
    held.pre('a', 'Agent')
    held.task('task_started', { ...ofAgent, is_backgrounded: false })
    expect(held.calls.hasAgents).toBe(false)
    held.post('a')
    expect(held.told.at(-1)).toBe('-a true')

    const moved = follow()
    moved.pre('a', 'Agent')
    moved.task('task_started', { ...ofAgent, is_backgrounded: false })
    moved.task('task_updated', { task_id: 't1', patch: { is_backgrounded: true } })
    moved.post('a')
    expect([moved.told.length, moved.calls.hasAgents]).toEqual([1, true])
  })

  it('forgets an agent that the list of tasks no longer names, though its notice was missed', () => {
    const { calls, told, pre, task } = follow()
    pre('a', 'Agent')
    task('task_started', ofAgent)
    task('background_tasks_changed', { tasks: [{ task_id: 't1' }, { task_id: 'shell' }] })
    expect(calls.hasAgents).toBe(true)
    task('background_tasks_changed', { tasks: [{ task_id: 'shell' }] })
    expect([calls.hasAgents, told.at(-1)]).toEqual([false, '-a false'])
  })

  it('takes a shell in the background for nothing to wait for', () => {
    const { calls, pre, task } = follow()
    pre('a', 'Bash', { run_in_background: true })
    task('task_started', { ...ofAgent, task_type: 'local_bash', is_backgrounded: true })
    expect([calls.hasAgents, calls.isAwaited]).toEqual([false, false])
  })
})
