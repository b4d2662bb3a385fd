import type { OpenTool, OpenWait } from '@sessiond/protocol'
import { describe, expect, it } from 'vitest'
import type { SeenState } from '../mailbox/mailbox.ts'
import { movesBetween } from './state-moves.ts'

const bash: OpenTool = { id: 1, name: 'Bash', timeoutMs: 5, expectedMs: null, isBackground: false, renewals: 0 }
const request: OpenWait = { seq: 1, reason: 'request', forMs: null, pings: 0 }

function state(tools: readonly OpenTool[], wait: OpenWait | null, progressSeq = 0): SeenState {
  const unused = { tool: null, toolDeclaredTimeoutMs: null, toolExpectedMs: null, toolStartedAtMs: null }
  return { ...unused, progressSeq, openWork: { tools, wait } }
}

describe('movesBetween', () => {
  it.each([
    ['nothing', state([bash], request), state([bash], request), []],
    ['the first look at a run that has done nothing', null, state([], null), []],
    ['progress, whichever way the figure goes', state([], null, 9), state([], null, 3), [{ clock: 'progress' }]],
    ['a tool begins', state([], null), state([bash], null), [{ clock: 'tool', tool: bash }]],
    ['a tool ends', state([bash], null), state([], null), [{ clock: 'tool-end', id: 1 }]],
    [
      'a lease begins anew',
      state([bash], null),
      state([{ ...bash, renewals: 1 }], null),
      [{ clock: 'tool', tool: { ...bash, renewals: 1 } }],
    ],
    [
      'a wait begins',
      state([], null),
      state([], request),
      [{ clock: 'wait', wait: { reason: 'request', forMs: null } }],
    ],
    [
      'a wait is stated anew',
      state([], request),
      state([], { seq: 2, reason: 'rate-limit', forMs: 9, pings: 0 }),
      [{ clock: 'wait', wait: { reason: 'rate-limit', forMs: 9 } }],
    ],
    ['a ping', state([], request), state([], { ...request, pings: 1 }), [{ clock: 'ping' }]],
    ['a wait ends', state([], request), state([], null), [{ clock: 'wait-end' }]],
    [
      'a run that stops keeping its clocks has nothing open',
      state([bash], request),
      { ...state([], null), openWork: null },
      [{ clock: 'tool-end', id: 1 }, { clock: 'wait-end' }],
    ],
  ])('sees %s', (_, before, after, moves) => {
    expect(movesBetween(before, after)).toEqual(moves)
  })
})
