import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Judge } from '../../src/backtest/judge.ts'
import { policyJudge } from '../../src/backtest/policy-judge.ts'
import { type Recording, readRecording } from '../../src/backtest/read-recording.ts'
import { type ReplayResult, replay } from '../../src/backtest/replay.ts'
import { DEFAULT_STUCK } from '../../src/config/default-stuck.ts'
import { anyEventRule, heartbeatRule } from './simple-rules.ts'

const JUDGES: Readonly<Record<string, () => Judge>> = {
  default: () => policyJudge(DEFAULT_STUCK),
  classic: () => policyJudge({ ...DEFAULT_STUCK, policy: 'classic' }),
  'beat 30 s': () => heartbeatRule(30_000),
  'event 60 s': () => anyEventRule(60_000),
  'event 10 min': () => anyEventRule(600_000),
}

/** Those that were given, beside the project, and those made with `record-traces.ts`. */
const FOLDERS = ['../shared/traces', 'packages/testkit/recordings']

const { values } = parseArgs({ options: { traces: { type: 'string', multiple: true } } })
const folders = values.traces ?? FOLDERS.filter((folder) => existsSync(folder))
const recordings = folders.flatMap((folder) => readAll(resolve(folder)))
const names = Object.keys(JUDGES)
const rows = recordings.map((recording) => [
  recording.name,
  recording.stuckAtMs === null ? 'healthy' : `stuck at ${seconds(recording.stuckAtMs)}`,
  ...names.map((name) => verdictOn(recording, JUDGES[name]?.() ?? policyJudge(DEFAULT_STUCK))),
])
print([['trace', 'label', ...names], ...rows])
for (const name of names) console.log(`${name}: ${summaryOf(name)}`)

function readAll(folder: string): Recording[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.jsonl'))
  return files.sort().map((file) => readRecording(readFileSync(join(folder, file), 'utf8'), file))
}

/** Seconds from stuck to the kill, with its reason; wrong kills and misses are shouted. */
function verdictOn(recording: Recording, judge: Judge): string {
  const result = replay(recording.lines, judge)
  if (result.outcome === 'left-alone') return recording.stuckAtMs === null ? 'left alone' : 'MISSED'
  if (result.outcome === 'exited') return `exited +${seconds(result.atMs - (recording.stuckAtMs ?? result.atMs))}`
  if (isRight(recording, result)) return `${result.reason} +${seconds(result.atMs - (recording.stuckAtMs ?? 0))}`
  return `KILLED ${result.reason} at ${seconds(result.atMs)}`
}

function isRight({ stuckAtMs }: Recording, result: ReplayResult & { outcome: 'killed' }): boolean {
  return stuckAtMs !== null && result.atMs >= stuckAtMs
}

function summaryOf(name: string): string {
  const judge = JUDGES[name] ?? (() => policyJudge(DEFAULT_STUCK))
  const verdicts = recordings.map((recording) => verdictOn(recording, judge()))
  const wrong = verdicts.filter((verdict) => verdict.startsWith('KILLED')).length
  const missed = verdicts.filter((verdict) => verdict === 'MISSED').length
  return `${wrong} wrong kills, ${missed} missed, of ${recordings.length}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function print(table: readonly (readonly string[])[]): void {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  for (const row of table) console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
}
