import type { RecordedMove } from '@sessiond/protocol'
import { buildRecording, type RecordingPlan } from '@sessiond/testkit'
import { describe, expect, it } from 'vitest'
import { DEFAULT_STUCK } from '../config/default-stuck.ts'
import { policyJudge } from './policy-judge.ts'
import { replay } from './replay.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

const sdk = (event: string): RecordedMove => ({ kind: 'sdk-event', event })
const step = sdk('stream_event/content_block_delta')
const asked = sdk('system/status')
const opened = sdk('stream_event/message_start')
const answered = sdk('stream_event/message_stop')
const toolStart = (timeoutMs: number | null = null, tool = 'Bash'): RecordedMove => ({
  kind: 'tool-start',
  tool,
  timeoutMs,
})
const toolEnd = (tool = 'Bash'): RecordedMove => ({ kind: 'tool-end', tool })
const taskStarted = sdk('system/task_started')
const returned = sdk('user')
/** Told whole: nobody sees the stream of a subagent's model. */
const agentAnswered = sdk('assistant')
const done: RecordedMove = { kind: 'done', message: 'm1' }

/** What an agent does before and after what the test is about. */
const asksForATool = [
  [100, asked],
  [200, opened],
  [300, step],
  [400, answered],
] as const

function every(everyMs: number, untilMs: number, move: RecordedMove): (readonly [number, RecordedMove])[] {
  return Array.from({ length: Math.floor(untilMs / everyMs) }, (_, at) => [(at + 1) * everyMs, move] as const)
}

function judged(plan: RecordingPlan, stuck = DEFAULT_STUCK) {
  return replay(buildRecording(plan), policyJudge(stuck))
}

describe('a healthy run is left alone that', () => {
  it.each<[string, RecordingPlan]>([
    [
      'computes silently for two hours in a tool that declared nothing',
      {
        forMs: 2 * HOUR_MS + MINUTE_MS,
        moves: [...asksForATool, [500, toolStart()], [2 * HOUR_MS, toolEnd()], [2 * HOUR_MS + 100, done]],
        cpuAt: (t) => (t < 2 * HOUR_MS ? 0.9 : 0),
      },
    ],
    [
      'builds for two hours, with pauses of four minutes in which it waits for a lock',
      {
        forMs: 2 * HOUR_MS + MINUTE_MS,
        moves: [...asksForATool, [500, toolStart()], [2 * HOUR_MS, toolEnd()], [2 * HOUR_MS + 100, done]],
        cpuAt: (t) => (t % (10 * MINUTE_MS) < 6 * MINUTE_MS ? 0.2 : 0),
      },
    ],
    [
      'is in a tool call of 20 minutes that declared 30',
      {
        forMs: 21 * MINUTE_MS,
        moves: [
          ...asksForATool,
          [500, toolStart(30 * MINUTE_MS)],
          [20 * MINUTE_MS, toolEnd()],
          [20 * MINUTE_MS + 100, done],
        ],
      },
    ],
    [
      'ends its tool just at its time, and takes 15 s to clean up',
      {
        forMs: 3 * MINUTE_MS,
        moves: [
          ...asksForATool,
          [500, toolStart(MINUTE_MS)],
          [500 + MINUTE_MS + 15_000, toolEnd()],
          [80_000, asked],
          [81_000, done],
        ],
      },
    ],
    [
      'waits out a rate limit of five hours',
      {
        forMs: 5 * HOUR_MS + 5 * MINUTE_MS,
        moves: [
          [100, asked],
          [2_000, { kind: 'model-wait', reason: 'rate-limit', untilMs: 5 * HOUR_MS }],
          [5 * HOUR_MS + 2 * MINUTE_MS, opened],
          [5 * HOUR_MS + 2 * MINUTE_MS + 100, answered],
          [5 * HOUR_MS + 2 * MINUTE_MS + 200, done],
        ],
      },
    ],
    [
      'is told every six minutes that the provider is overloaded',
      {
        forMs: HOUR_MS,
        moves: [
          [100, asked],
          ...every(6 * MINUTE_MS, 54 * MINUTE_MS, { kind: 'model-wait', reason: 'outage', untilMs: null }),
          [58 * MINUTE_MS, done],
        ],
      },
    ],
    [
      'thinks for 20 minutes with nothing but pings',
      {
        forMs: 21 * MINUTE_MS,
        moves: [
          [100, asked],
          [200, opened],
          ...every(20_000, 20 * MINUTE_MS, sdk('stream_event/ping')),
          [20 * MINUTE_MS + 50, answered],
          [20 * MINUTE_MS + 100, done],
        ],
      },
    ],
    [
      'queues for nine minutes before its model answers',
      {
        forMs: 10 * MINUTE_MS,
        moves: [
          [100, asked],
          [9 * MINUTE_MS, opened],
          [9 * MINUTE_MS + 100, answered],
          [9 * MINUTE_MS + 200, done],
        ],
      },
    ],
    [
      'was at a tool when the machine went to sleep for eight hours',
      {
        forMs: 8 * HOUR_MS + 5 * MINUTE_MS,
        moves: [
          ...asksForATool,
          [500, toolStart()],
          [8 * HOUR_MS + 3 * MINUTE_MS, toolEnd()],
          [8 * HOUR_MS + 3 * MINUTE_MS + 100, done],
        ],
        sleep: { fromMs: MINUTE_MS, forMs: 8 * HOUR_MS },
      },
    ],
    [
      'has a subagent whose own tool is within its time',
      {
        forMs: 40 * MINUTE_MS,
        moves: [
          ...asksForATool,
          [500, toolStart(null, 'Task')],
          [900, toolStart(35 * MINUTE_MS)],
          [34 * MINUTE_MS, toolEnd()],
          [34 * MINUTE_MS + 100, toolEnd('Task')],
          [34 * MINUTE_MS + 200, done],
        ],
      },
    ],
    [
      'has a subagent whose model queues for nine minutes, before its first answer and before its second',
      {
        forMs: 20 * MINUTE_MS,
        moves: [
          ...asksForATool,
          [500, toolStart(null, 'Agent')],
          [600, taskStarted],
          [601, returned],
          [9 * MINUTE_MS, toolStart()],
          [9 * MINUTE_MS + 1, agentAnswered],
          [9 * MINUTE_MS + 2_000, toolEnd()],
          [9 * MINUTE_MS + 2_100, returned],
          [18 * MINUTE_MS, toolEnd('Agent')],
          [18 * MINUTE_MS + 100, returned],
          [18 * MINUTE_MS + 200, done],
        ],
      },
    ],
    [
      'has its own answer while the model of a subagent in the background queues for nine minutes',
      {
        forMs: 10 * MINUTE_MS,
        moves: [
          ...asksForATool,
          [500, toolStart(null, 'Agent')],
          [600, taskStarted],
          [601, returned],
          [700, asked],
          [800, opened],
          [900, answered],
          [9 * MINUTE_MS, agentAnswered],
          [9 * MINUTE_MS + 100, toolEnd('Agent')],
          [9 * MINUTE_MS + 200, done],
        ],
      },
    ],
  ])('%s', (_, plan) => {
    expect(judged(plan)).toEqual({ outcome: 'left-alone' })
  })
})

describe('a stuck run is found within its time that', () => {
  const FOR_EVER = { forMs: 12 * HOUR_MS }

  it.each<[string, RecordingPlan, stuckAtMs: number, withinMs: number, reason: string]>([
    [
      'is frozen',
      { ...FOR_EVER, moves: [...asksForATool, [500, toolStart(HOUR_MS)]], beatsUntilMs: 62_000 },
      62_000,
      60_000,
      'frozen',
    ],
    [
      'spins in a loop of its own',
      {
        ...FOR_EVER,
        moves: [...asksForATool, [500, toolStart()]],
        beatsUntilMs: 62_000,
        cpuAt: (t) => (t > 62_000 ? 1 : 0),
      },
      62_000,
      60_000,
      'frozen',
    ],
    [
      'has a tool that outlives what it declared, computing, and reporting itself',
      {
        ...FOR_EVER,
        moves: [...asksForATool, [500, toolStart(90_000)], ...every(30_000, 12 * HOUR_MS, sdk('tool_progress'))],
        cpuAt: () => 1,
      },
      90_500,
      30_000,
      'tool-overdue',
    ],
    [
      'has a tool that declared nothing and hangs after it has computed for ten minutes',
      {
        ...FOR_EVER,
        moves: [...asksForATool, [500, toolStart()], ...every(30_000, 12 * HOUR_MS, sdk('tool_progress'))],
        cpuAt: (t) => (t < 10 * MINUTE_MS ? 1 : 0),
      },
      10 * MINUTE_MS,
      5 * MINUTE_MS,
      'tool-overdue',
    ],
    [
      'has a subagent whose tool declared nothing and hangs, and is told as a task',
      {
        ...FOR_EVER,
        moves: [
          ...asksForATool,
          [500, toolStart(null, 'Agent')],
          [600, taskStarted],
          [601, returned],
          [700, toolStart()],
          [701, agentAnswered],
          [4_000, taskStarted],
          ...every(30_000, 12 * HOUR_MS, sdk('tool_progress')),
        ],
      },
      701,
      5 * MINUTE_MS,
      'tool-overdue',
    ],
    [
      'has a subagent that never begins',
      { ...FOR_EVER, moves: [...asksForATool, [500, toolStart(null, 'Agent')]] },
      500,
      5 * MINUTE_MS,
      'tool-overdue',
    ],
    ['waits for a model that never answers', { ...FOR_EVER, moves: [[100, asked]] }, 100, 10 * MINUTE_MS, 'silent'],
    [
      'asks anew every six minutes, as its request times out, a model that never answers',
      {
        ...FOR_EVER,
        moves: [
          [100, asked],
          ...every(6 * MINUTE_MS, 12 * HOUR_MS, { kind: 'model-wait', reason: 'retry', untilMs: null }),
        ],
      },
      100,
      10 * MINUTE_MS,
      'silent',
    ],
    [
      'waits in the middle of an answer',
      {
        ...FOR_EVER,
        moves: [
          [100, asked],
          [200, opened],
          [60_000, step],
        ],
      },
      60_000,
      10 * MINUTE_MS,
      'silent',
    ],
    [
      'has nothing open, and goes on reporting itself',
      { ...FOR_EVER, moves: [...asksForATool, ...every(30_000, 12 * HOUR_MS, sdk('tool_progress'))] },
      400,
      2 * MINUTE_MS,
      'silent',
    ],
    [
      'hung while the machine slept',
      {
        ...FOR_EVER,
        moves: [...asksForATool, [500, toolStart(10 * MINUTE_MS)]],
        beatsUntilMs: MINUTE_MS,
        sleep: { fromMs: MINUTE_MS, forMs: 8 * HOUR_MS },
      },
      MINUTE_MS + 8 * HOUR_MS,
      MINUTE_MS,
      'frozen',
    ],
  ])('%s', (_, plan, stuckAtMs, withinMs, reason) => {
    const result = judged(plan)
    expect(result).toMatchObject({ outcome: 'killed', reason })
    if (result.outcome !== 'killed') return
    expect(result.atMs).toBeGreaterThanOrEqual(stuckAtMs)
    expect(result.atMs - stuckAtMs).toBeLessThanOrEqual(withinMs)
  })

  it('dies', () => {
    const plan: RecordingPlan = { forMs: MINUTE_MS, moves: [[20_000, { kind: 'exit', code: null, signal: 'SIGKILL' }]] }
    expect(judged(plan)).toEqual({ outcome: 'exited', atMs: 20_000 })
  })
})

describe('a policy of one group', () => {
  const tools = [
    { pattern: 'mcp__build__*', silentMs: 2 * HOUR_MS, busyCeilingMs: null },
    { pattern: 'WebFetch', silentMs: MINUTE_MS, busyCeilingMs: null },
  ]
  const inTool = (tool: string): RecordingPlan => ({
    forMs: HOUR_MS,
    moves: [...asksForATool, [500, toolStart(null, tool)]],
  })

  it.each([
    ['mcp__build__all', 'left-alone'],
    ['WebFetch', 'killed'],
    ['Bash', 'killed'],
  ])('may let one tool be silent for long, and another not: %s', (tool, outcome) => {
    expect(judged(inTool(tool), { ...DEFAULT_STUCK, tools }).outcome).toBe(outcome)
  })
})
