import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DEFAULT_STUCK } from '../config/default-stuck.ts'
import { policyJudge } from './policy-judge.ts'
import { type Recording, readRecording } from './read-recording.ts'
import { type ReplayResult, replay } from './replay.ts'

const FOLDER = new URL('../../../testkit/recordings/', import.meta.url)
const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS

interface Hang {
  readonly reason: string
  /** From stuck to killed, at most. */
  readonly withinMs: number
}

/** What the judgement has to reach, by what was hanging. */
const TARGET = {
  model: { reason: 'silent', withinMs: 10 * MINUTE_MS },
  undeclaredTool: { reason: 'tool-overdue', withinMs: 5 * MINUTE_MS },
  /** Its time is its own until it is over, whatever became of it meanwhile. */
  declaredTool: (declaredMs: number): Hang => ({ reason: 'tool-overdue', withinMs: declaredMs + 30 * SECOND_MS }),
  nothingOpen: { reason: 'silent', withinMs: 2 * MINUTE_MS },
} as const

const STUCK: Readonly<Record<string, Hang>> = {
  'own-hang-headers': TARGET.model,
  // Named after the tool that is open around it, within the time of what it waits for.
  'own-hang-subagent': { ...TARGET.model, reason: 'tool-overdue' },
  'own-hang-before-tool': TARGET.declaredTool(30 * SECOND_MS),
  'own-quiet-hang-mcp': TARGET.undeclaredTool,
  'own-quiet-hang-before-undeclared': TARGET.undeclaredTool,
  'own-quiet-hang-after-tool': TARGET.nothingOpen,
  'own-hang-mcp': afterBursts(TARGET.undeclaredTool),
  'own-hang-before-undeclared': afterBursts(TARGET.undeclaredTool),
  'own-hang-after-tool': afterBursts(TARGET.nothingOpen),
}

/**
 * Not yet within its target: where nobody takes the SDK's telemetry it sends some 250 KB again and again for its first
 * two minutes, and each burst passes for a transfer.
 */
function afterBursts({ reason, withinMs }: Hang): Hang {
  return { reason, withinMs: withinMs + 2 * MINUTE_MS }
}

const HEALTHY = [
  'own-background-bash',
  'own-bash-cpu',
  'own-conversation',
  'own-failing-tools',
  'own-overdue-bash',
  'own-overloaded',
  'own-parallel-tools',
  'own-rate-limit',
  'own-resets',
  'own-slow-headers',
  // The SDK recovers by itself, as often as it takes.
  'own-stalled-streams',
  'own-subagent',
  'own-think-pings',
]

function textOf(name: string): string {
  return readFileSync(new URL(`${name}.jsonl`, FOLDER), 'utf8')
}

function recorded(name: string): Recording {
  return readRecording(textOf(name), `${name}.jsonl`)
}

function judged({ lines }: Recording): ReplayResult {
  return replay(lines, policyJudge(DEFAULT_STUCK))
}

const names = readdirSync(FOLDER).map((file) => file.replace(/\.jsonl$/, ''))

describe('the recordings of the real SDK', () => {
  it('are all spoken for', () => {
    expect(names.sort()).toEqual([...HEALTHY, ...Object.keys(STUCK)].sort())
  })

  it.each(names)('%s is read line by line, to its end', (name) => {
    const { lines, about, name: own } = recorded(name)
    expect([own, lines.length]).toEqual([name, textOf(name).trimEnd().split('\n').length])
    expect(about).not.toBe('')
    expect(lines.at(-1)?.kind).toBe('end')
  })

  it.each(names)('%s tells nothing of where it was made', (name) => {
    expect(textOf(name)).not.toMatch(/"\/|[0-9a-f]{8}-[0-9a-f]{4}-|\b(?:msg|toolu|sk|claude)[-_]/)
  })
})

describe('under the default judgement a healthy run', () => {
  it.each(HEALTHY)('%s is left alone', (name) => {
    const recording = recorded(name)
    expect([recording.stuckAtMs, judged(recording)]).toEqual([null, { outcome: 'left-alone' }])
  })
})

describe('under the default judgement a run that hangs', () => {
  it.each(Object.entries(STUCK))('%s is found in time, for its own reason', (name, { reason, withinMs }) => {
    const recording = recorded(name)
    const result = judged(recording)
    expect(result).toMatchObject({ outcome: 'killed', reason })
    const stuckForMs = 'atMs' in result ? result.atMs - (recording.stuckAtMs ?? Number.NaN) : Number.NaN
    expect(stuckForMs).toBeGreaterThanOrEqual(0)
    expect(stuckForMs).toBeLessThanOrEqual(withinMs)
  })
})
