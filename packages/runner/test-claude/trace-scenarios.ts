import { fileURLToPath } from 'node:url'
import type { RecordingLine } from '@sessiond/protocol'
import { type ModelAnswer, type ModelRequest, type ModelScript, says } from '@sessiond/testkit/model-server'

/** A recording that is made again and again: what the model does, and from when on the run is stuck. */
export interface TraceScenario {
  readonly about: string
  readonly script: ModelScript
  /** When what is said to the agent. @default one prompt, at once */
  readonly promptsAtMs?: readonly number[]
  readonly hangHook?: string
  readonly mcpServers?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  /** At most that long; the healthy ones end by themselves. */
  readonly forMs: number
  /** The line with which it became stuck. Left out: it never does. */
  readonly stuckWith?: (line: RecordingLine) => boolean
}

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
/** What each scenario's prompts say. */
export const PROMPT = 'outer task'

const bash = (command: string, more: object = {}) => ({ name: 'Bash', input: { command, ...more } })
/** Silent and at rest for that long. The SDK refuses a bare `sleep`. */
const restFor = (seconds: number) => `timeout ${seconds} tail -f /dev/null; echo rested`
const done: ModelAnswer = [says.text('done')]

const isAsked = (line: RecordingLine) => line.kind === 'server-request'
const isToolStart = (line: RecordingLine) => line.kind === 'tool-start'
const isToolEnd = (line: RecordingLine) => line.kind === 'tool-end'

/** The outer agent starts an inner one and waits for it; the inner one rests in a shell for less than it declared. */
function restingSubagent(request: ModelRequest): ModelAnswer {
  const rests = [says.tools(bash(restFor(60), { timeout: 100_000 }))]
  return withSubagent(request, (asked) => (asked.includes('tool_result') ? INNER_DONE : rests))
}

const INNER_DONE: ModelAnswer = [says.text('inner done')]

function withSubagent({ body, isTurn }: ModelRequest, inner: (asked: string) => ModelAnswer): ModelAnswer {
  if (!isTurn) return [says.text('ok')]
  const asked = JSON.stringify(body?.messages ?? '')
  if (!asked.includes(PROMPT)) return inner(asked)
  if (asked.includes('inner done')) return done
  const input = { description: 'd', prompt: 'inner task', subagent_type: 'general-purpose', run_in_background: false }
  return [says.tool('Agent', input)]
}

const SCENARIOS = {
  'own-rate-limit': {
    about: 'a rate limit with retry-after 20 s, then an answer',
    script: [[says.rateLimited(20)], done],
    forMs: 3 * MINUTE_MS,
  },
  'own-overloaded': {
    about: 'overloaded twice, then an answer',
    script: [[says.overloaded], [says.overloaded], done],
    forMs: 3 * MINUTE_MS,
  },
  'own-think-pings': {
    about: 'thinking, then 90 s of keep-alives, then an answer',
    script: [[says.thinking('hm'), says.pings(9, 10_000), says.text('done')]],
    forMs: 3 * MINUTE_MS,
  },
  'own-slow-headers': {
    about: 'headers come after 240 s of nothing',
    script: [[says.wait(240_000), says.text('done')]],
    forMs: 6 * MINUTE_MS,
  },
  'own-parallel-tools': {
    about: 'two shell tools beside each other: one silent for 60 s of the 120 s it declared, one quick',
    script: [[says.tools(bash(restFor(60), { timeout: 120_000 }), bash('ls -d /', { timeout: 10_000 }))], done],
    forMs: 4 * MINUTE_MS,
  },
  'own-bash-cpu': {
    about: 'a shell tool computing for 90 s, no declared time-out',
    script: [[says.tools(bash('timeout 90 sh -c "while :; do :; done"; echo computed'))], done],
    forMs: 4 * MINUTE_MS,
  },
  'own-failing-tools': {
    about: 'a shell tool that fails and a file that is not there, then an answer',
    script: [[says.tools(bash('exit 3'))], [says.tool('Read', { file_path: '/nowhere' })], done],
    forMs: 2 * MINUTE_MS,
  },
  'own-background-bash': {
    about: 'a shell tool in the background, an answer beside it, and a second prompt after 40 s',
    script: [[says.tools(bash('tail -f /dev/null', { run_in_background: true }))], [says.text('started')], done],
    promptsAtMs: [0, 40_000],
    forMs: 3 * MINUTE_MS,
  },
  'own-subagent': {
    about: 'a subagent whose shell tool is silent for 60 s of the 100 s it declared',
    script: restingSubagent,
    forMs: 4 * MINUTE_MS,
  },
  'own-conversation': {
    about: 'three prompts, at 0, 20 and 40 s, each with a tool',
    script: [0, 1, 2].flatMap((at) => [[says.tools(bash(`echo ${at}`))], [says.text('done')]]),
    promptsAtMs: [0, 20_000, 40_000],
    forMs: 3 * MINUTE_MS,
  },
  'own-resets': {
    about: 'every connection is cut, until the SDK gives up',
    script: [[says.reset]],
    forMs: 11 * MINUTE_MS,
  },
  'own-hang-headers': {
    about: 'the model server takes the question and never answers',
    script: [[says.stall]],
    forMs: 11 * MINUTE_MS,
    stuckWith: isAsked,
  },
  'own-stalled-streams': {
    about: 'the model stops in the middle of each answer; the SDK ends it after 5 min and asks again',
    script: [[says.text('half'), says.stall]],
    forMs: 11 * MINUTE_MS,
  },
  'own-hang-subagent': {
    about: 'a subagent whose model takes the question and never answers',
    script: (request) => withSubagent(request, () => [says.stall]),
    forMs: 11 * MINUTE_MS,
    stuckWith: (line) => line.kind === 'server-request' && line.n === 1,
  },
  'own-hang-mcp': {
    about: 'an MCP tool that never returns',
    script: [[says.tool('mcp__mute__ask', {})], done],
    mcpServers: {
      mute: {
        type: 'stdio',
        command: process.execPath,
        args: [
          '--disable-warning=ExperimentalWarning',
          fileURLToPath(new URL('programs/mute-mcp-server.ts', import.meta.url)),
        ],
      },
    },
    forMs: 7 * MINUTE_MS,
    stuckWith: isToolStart,
  },
  'own-hang-before-tool': {
    about: 'a hook before a shell tool that never returns; the tool declared 30 s',
    script: [[says.tools(bash('echo hi', { timeout: 30_000 }))], done],
    hangHook: 'PreToolUse',
    forMs: 6 * MINUTE_MS,
    stuckWith: isToolStart,
  },
  'own-hang-before-undeclared': {
    about: 'a hook before a shell tool that never returns; the tool declared nothing',
    script: [[says.tools(bash('echo hi'))], done],
    hangHook: 'PreToolUse',
    forMs: 7 * MINUTE_MS,
    stuckWith: isToolStart,
  },
  'own-hang-after-tool': {
    about: 'a hook after a shell tool that never returns',
    script: [[says.tools(bash('echo hi'))], done],
    hangHook: 'PostToolUse',
    forMs: 5 * MINUTE_MS,
    stuckWith: isToolEnd,
  },
  'own-overdue-bash': {
    about: 'a shell tool that outlives the 10 s it declared: the SDK moves it to the background and goes on',
    script: [[says.tools(bash('trap "" TERM INT HUP; while :; do sleep 1; done', { timeout: 10_000 }))], done],
    forMs: 3 * MINUTE_MS,
  },
} satisfies Readonly<Record<string, TraceScenario>>

/** By the recording's name. */
export const TRACE_SCENARIOS: Readonly<Record<string, TraceScenario>> = {
  ...SCENARIOS,
  'own-quiet-hang-mcp': quiet(SCENARIOS['own-hang-mcp']),
  'own-quiet-hang-before-undeclared': quiet(SCENARIOS['own-hang-before-undeclared']),
  'own-quiet-hang-after-tool': quiet(SCENARIOS['own-hang-after-tool']),
}

/** The same without what the SDK sends beside its work: where nobody takes it, it is sent again and again. */
function quiet(scenario: TraceScenario): TraceScenario {
  return {
    ...scenario,
    about: `${scenario.about}; telemetry is off`,
    env: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
    forMs: Math.min(scenario.forMs, 340_000),
  }
}
