import { describe, expect, it } from 'vitest'
import { FakeContext } from '../../../test/fake-context.ts'
import { RetryLater } from '../../retry-later.ts'
import type { RunnerWorld } from '../../world.ts'
import type { ClaudeMessage } from './claude-sdk.ts'
import { SESSION_KEY, Turn, type TurnOptions } from './turn.ts'

const NOW_MS = Date.UTC(2030, 0, 1)

function turnOf(changes: Partial<TurnOptions> = {}) {
  const timers: (() => void)[] = []
  const world: RunnerWorld = {
    now: () => NOW_MS,
    newId: (prefix) => prefix,
    setTimer: (_, fn) => {
      timers.push(fn)
      return () => timers.splice(timers.indexOf(fn), 1)
    },
  }
  const context = new FakeContext({ workDir: '/work', text: '' })
  const turn = new Turn({ context, world, resume: null, namesAnswers: true, ...changes })
  turn.begin('u1')
  const say = (...messages: ClaudeMessage[]) => {
    for (const message of messages) turn.message(message)
  }
  return { turn, context, say, timers }
}

const init: ClaudeMessage = { type: 'system', subtype: 'init' }
const ours = { user_message_uuid: 'u1' }
const result = (text: string, more: Partial<ClaudeMessage> = {}): ClaudeMessage => ({
  type: 'result',
  subtype: 'success',
  result: text,
  ...more,
})
const agentStarts: ClaudeMessage[] = [
  { type: 'system', subtype: 'task_started', task_id: 't', tool_use_id: 'a', task_type: 'local_agent' },
]
const agentEnds: ClaudeMessage = { type: 'system', subtype: 'task_notification', task_id: 't', status: 'completed' }

describe('Turn', () => {
  it('ends with the result that answers its own message', async () => {
    const { turn, context, say } = turnOf()
    say(init, result('by the way'), result('for you', { user_message_uuids: ['u0', 'u1'] }))
    expect(await turn.ended).toEqual({ kind: 'answered', text: 'for you' })
    expect(context.of('say').map(({ text }) => text)).toEqual(['by the way'])
  })

  it('takes the first result of a version that names nobody', async () => {
    const { turn, say } = turnOf({ namesAnswers: false })
    say(init, result('for somebody'))
    expect(await turn.ended).toEqual({ kind: 'answered', text: 'for somebody' })
  })

  it('remembers the conversation as soon as it has begun', () => {
    const { context, say } = turnOf()
    say({ ...init, session_id: 's-9' })
    expect(context.values.get(SESSION_KEY)).toBe('s-9')
  })

  it('goes on while agents are at work, and ends with what the model says of them', async () => {
    const { turn, context, say, timers } = turnOf()
    say(init, ...agentStarts, result('they are at it', ours))
    expect(context.of('say').map(({ text }) => text)).toEqual(['they are at it'])
    say(agentEnds)
    expect(timers.length).toBe(1)
    say(init)
    expect(timers.length).toBe(0)
    say(result('found'))
    expect(await turn.ended).toEqual({ kind: 'answered', text: 'found' })
  })

  it('does not wait for ever for a model that says nothing more of its agents', async () => {
    const { turn, say, timers } = turnOf()
    say(init, ...agentStarts, result('they are at it', ours), agentEnds)
    timers[0]?.()
    expect(await turn.ended).toEqual({ kind: 'answered', text: '' })
  })

  it('knows an unknown session by its id, and only before anything was done', async () => {
    const lost: ClaudeMessage = {
      type: 'result',
      subtype: 'error_during_execution',
      is_error: true,
      errors: ['there is no s-1'],
    }
    const unknown = turnOf({ resume: 's-1' })
    unknown.say(lost)
    expect(await unknown.turn.ended).toEqual({ kind: 'unknown-session' })
    const known = turnOf({ resume: 's-1' })
    known.say(init, { ...lost, ...ours })
    expect(await known.turn.ended).toMatchObject({ kind: 'failed' })
    const other = turnOf({ resume: 's-2' })
    other.say(lost)
    expect(await other.turn.ended).toMatchObject({ kind: 'failed' })
  })

  it('spends no try on a rate limit, and waits until its reset', async () => {
    const { turn, say } = turnOf()
    const resetsAt = NOW_MS / 1_000 + 600
    say(init, { type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt } })
    say(
      { type: 'assistant', error: 'rate_limit' },
      result('limited', { is_error: true, api_error_status: 429, ...ours }),
    )
    const end = await turn.ended
    const error = end.kind === 'failed' ? end.error : undefined
    expect(error).toBeInstanceOf(RetryLater)
    expect((error as RetryLater).retryAtMs(NOW_MS)).toBe(resetsAt * 1_000)
    expect((error as RetryLater).trouble).toBe('rate-limit')
  })

  it.each([
    ['a connection that failed', { error: 'server_error' }, null],
    ['an overloaded provider', { error: 'overloaded' }, 529],
    ['a status of the server', {}, 503],
  ])('spends no try on %s', async (_, said, status) => {
    const { turn, say } = turnOf()
    say(init, { type: 'assistant', ...said }, result('broken', { is_error: true, api_error_status: status, ...ours }))
    expect(await turn.ended).toMatchObject({ kind: 'failed', error: expect.any(RetryLater) })
    expect(await turn.ended).toMatchObject({ error: { trouble: 'outage' } })
  })

  it('blames itself for everything else', async () => {
    const { turn, say } = turnOf()
    say(init, { type: 'result', subtype: 'error_max_turns', is_error: true, errors: [], ...ours })
    const end = await turn.ended
    expect(end).toMatchObject({ kind: 'failed', error: new Error('the turn ended with error_max_turns') })
    expect(end.kind === 'failed' && end.error instanceof RetryLater).toBe(false)
  })

  it('is nobody’s fault when the query had ended before it was asked', async () => {
    const gone = turnOf()
    gone.turn.over(new Error('killed'), true)
    expect(await gone.turn.ended).toEqual({ kind: 'gone' })
    const heard = turnOf()
    heard.say(init)
    heard.turn.over(new Error('killed'), true)
    expect(await heard.turn.ended).toMatchObject({ kind: 'failed' })
    const fresh = turnOf()
    fresh.turn.over(new Error('killed'), false)
    expect(await fresh.turn.ended).toMatchObject({ kind: 'failed' })
  })
})
