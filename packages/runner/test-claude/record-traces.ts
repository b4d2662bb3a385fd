/**
 * Makes the recordings under packages/testkit/recordings again: the real SDK against the scripted model server, all
 * scenarios beside each other. Takes as long as the longest of them.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { RecordedMove, RecordingLine } from '@sessiond/protocol'
import '@sessiond/runner/claude'
import { type ModelRequest, type ModelScript, startModelServer } from '@sessiond/testkit/model-server'
import { probeClaudeSdk } from '../../sessiond/src/probe/probe-claude-sdk.ts'
import { claudeSdk, VERSION } from './install-claude-sdk.ts'
import { PROMPT, TRACE_SCENARIOS, type TraceScenario } from './trace-scenarios.ts'

const AGENT = `Claude Agent SDK ${VERSION} against a scripted model server`
const OUT = fileURLToPath(new URL('../../testkit/recordings/', import.meta.url))
/** The SDK's start takes a core for a second: all at once they would be slow for want of one, which no recording is about. */
const APART_MS = 2_500

const { values } = parseArgs({
  options: {
    /** Only this one, in this process. */
    only: { type: 'string' },
    /** None longer than that, in seconds: to see whether the scenarios begin as they should. */
    seconds: { type: 'string', default: '100000' },
    out: { type: 'string', default: OUT },
  },
})
const atMostMs = Number(values.seconds) * 1_000

if (values.only === undefined) await recordAll()
else await record(values.only)

/** Each in a process of its own: by its process what a scenario uses is told from what another does. */
async function recordAll(): Promise<void> {
  claudeSdk()
  // The longest begin first.
  const scenarios = Object.entries(TRACE_SCENARIOS).sort(([, a], [, b]) => b.forMs - a.forMs)
  await Promise.all(
    scenarios.map(async ([name], at) => {
      await pause(at * APART_MS)
      const args = [fileURLToPath(import.meta.url), '--only', name, '--seconds', values.seconds, '--out', values.out]
      const child = spawn(process.execPath, [...process.execArgv, ...args], { stdio: 'inherit' })
      const [code] = (await once(child, 'exit')) as [number | null]
      if (code !== 0) process.exitCode = 1
    }),
  )
}

async function record(name: string): Promise<void> {
  const scenario = TRACE_SCENARIOS[name]
  if (scenario === undefined) throw new RangeError(`no scenario is called "${name}"`)
  const asked: number[] = []
  const server = await startModelServer(
    noting(scenario.script, ({ isTurn }) => {
      if (isTurn) asked.push(performance.now())
    }),
  )
  const workDir = mkdtempSync(join(tmpdir(), 'sessiond-trace-'))
  try {
    const agent = agentOf(scenario, { url: server.url, workDir })
    // Loaded beforehand, or the probe's clock begins later than this one.
    await import(agent.sdk)
    const startedAt = performance.now()
    const recorded = await probeClaudeSdk({
      agent,
      workDir,
      prompts: (scenario.promptsAtMs ?? [0]).map((atMs) => ({ atMs, text: PROMPT })),
      timeoutMs: Math.min(scenario.forMs, atMostMs),
      trace: name,
      ...(scenario.hangHook === undefined ? {} : { hangHook: scenario.hangHook }),
      signal: new AbortController().signal,
    })
    const requests = asked.map((at, n) => move(at - startedAt, { kind: 'server-request', n, stream: true }))
    const endMs = recorded.find(({ kind }) => kind === 'end')?.t ?? Infinity
    // What comes while the SDK is ended belongs to no run.
    const all = [...recorded, ...requests].filter(({ t }) => t <= endMs)
    const lines = labelled(all.map(withMeta(scenario)), scenario)
    mkdirSync(values.out, { recursive: true })
    writeFileSync(resolve(values.out, `${name}.jsonl`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const last = lines.findLast(({ kind }) => kind === 'end')
    const isLabelled = lines.some(({ kind }) => kind === 'label')
    console.log(`${name}: ${JSON.stringify(last)}, ${lines.length} lines, ${isLabelled ? 'stuck' : 'healthy'}`)
  } finally {
    await server.close()
    rmSync(workDir, { recursive: true, force: true })
  }
}

function agentOf({ mcpServers, env }: TraceScenario, { url, workDir }: { url: string; workDir: string }) {
  return {
    sdk: claudeSdk(),
    permissionMode: 'bypassPermissions',
    env: {
      HOME: workDir,
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: 'any',
      IS_SANDBOX: '1',
      // As the SDK is by itself, unless the scenario says otherwise.
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: undefined,
      ...env,
    },
    ...(mcpServers === undefined ? {} : { mcpServers }),
  }
}

/** The same script, with every question told before it is answered. */
function noting(script: ModelScript, note: (request: ModelRequest) => void): ModelScript {
  let asked = 0
  return (request) => {
    note(request)
    if (typeof script === 'function') return script(request)
    if (!request.isTurn) return [{ do: 'text', text: 'ok' }]
    asked += 1
    return script[Math.min(asked, script.length) - 1] ?? []
  }
}

function withMeta({ about }: TraceScenario): (line: RecordingLine) => RecordingLine {
  return (line) => (line.kind === 'meta' ? { ...line, about, agent: AGENT } : line)
}

/** In order of time, with the label right after the line that got stuck; the first and the last stay where they are. */
function labelled(lines: readonly RecordingLine[], { stuckWith }: TraceScenario): RecordingLine[] {
  const ordered = lines.toSorted((a, b) => rank(a) - rank(b) || a.t - b.t)
  const at = stuckWith === undefined ? -1 : ordered.findIndex(stuckWith)
  const stuck = ordered[at]
  return stuck === undefined ? ordered : ordered.toSpliced(at + 1, 0, { t: stuck.t, kind: 'label', stuck: true })
}

function rank({ kind }: RecordingLine): number {
  return kind === 'meta' ? 0 : kind === 'end' ? 2 : 1
}

function move(atMs: number, what: RecordedMove): RecordingLine {
  return { t: Math.max(0, Math.round(atMs)), ...what }
}
