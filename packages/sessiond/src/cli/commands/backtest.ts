import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type BacktestRow, type BacktestVerdict, backtest, type NamedPolicy } from '../../backtest/backtest.ts'
import { listKeptRecordings, readRecordings } from '../../backtest/find-recordings.ts'
import { spanWords } from '../../explain/words.ts'
import { SessiondError } from '../../model/errors.ts'
import { escapeLine } from '../../model/escape.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findConfig } from '../find-config.ts'
import { formatTable } from '../format/table.ts'
import { printResult } from '../print-result.ts'
import { readPolicy } from '../read-policy.ts'

interface BacktestOptions extends CommonOptions {
  readonly policy?: readonly string[]
  readonly trace?: readonly string[]
  readonly recorded?: boolean
  readonly compare?: boolean
}

/** `sessiond backtest`: who would have been killed when under a policy, against what happened. */
export function addBacktest(program: Command, context: CliContext): void {
  addCommand(program, 'backtest', 'replay recordings against a policy: who would have been killed when')
    .option(
      '--policy <files...>',
      "'default', 'classic', or JSON files with what stands under stuck (default: the configured one)",
    )
    .option('--trace <files...>', 'recordings to replay')
    .option('--recorded', 'replay what the host has kept of its runs')
    .option('--compare', "set them beside 'default' and 'classic'")
    .action(async (options: BacktestOptions) => {
      const recordings = await readRecordings(await filesOf(options, context))
      const rows = backtest(recordings, await policiesOf(options, context))
      printResult(context, options, { rows }, () => describe(rows))
    })
}

async function filesOf({ trace, recorded, ...options }: BacktestOptions, context: CliContext): Promise<string[]> {
  const given = (trace ?? []).map((file) => resolve(context.cwd, file))
  if (recorded !== true) {
    if (given.length > 0) return given
    throw new SessiondError('BAD_REQUEST', 'There is nothing to replay.', {
      cure: 'Name recordings with --trace, or take those the host has kept with --recorded.',
    })
  }
  const { config } = await findConfig(options, context)
  return [...given, ...(await listKeptRecordings(config.dataDir))]
}

async function policiesOf(options: BacktestOptions, context: CliContext): Promise<NamedPolicy[]> {
  const given = options.policy ?? []
  const own = given.length > 0 ? [] : await configuredPolicy(options, context)
  const names = options.compare === true ? [...given, 'default', 'classic'] : given
  const read = await Promise.all([...new Set(names)].map((name) => readPolicy(name, context.cwd)))
  return [...own, ...read]
}

/** What the host here would judge by; where there is none, what it would by default. */
async function configuredPolicy(options: BacktestOptions, context: CliContext): Promise<NamedPolicy[]> {
  try {
    const { config } = await findConfig(options, context)
    return [{ name: 'configured', policy: config.defaults.stuck }]
  } catch (error) {
    if (options.config !== undefined || !(error instanceof SessiondError) || error.code !== 'CONFIG_NOT_FOUND')
      throw error
    return options.compare === true ? [] : [await readPolicy('default', context.cwd)]
  }
}

function describe(rows: readonly BacktestRow[]): string {
  if (rows.length === 0) return 'There are no recordings yet.\n'
  const policies = rows[0]?.verdicts.map(({ policy }) => policy) ?? []
  const head = ['RECORDING', 'WHAT HAPPENED', ...policies.map((name) => name.toUpperCase())]
  const table = rows.map((row) => [
    escapeLine(row.recording, 60),
    describePast(row),
    ...row.verdicts.map(describeVerdict),
  ])
  const sums = policies.map((name, at) => `${name}: ${sumUp(rows.flatMap(({ verdicts }) => verdicts[at] ?? []))}\n`)
  return `${formatTable(head, table)}\n${sums.join('')}`
}

function describePast({ stuckAtMs, exitedAtMs, lastAtMs }: BacktestRow): string {
  if (stuckAtMs !== null) return `stuck at ${spanWords(stuckAtMs)}`
  return exitedAtMs === null ? `went on until ${spanWords(lastAtMs)}` : `exited at ${spanWords(exitedAtMs)}`
}

const MARKS = { right: '', unlabelled: '', missed: 'MISSED: ', 'wrong-kill': 'WRONG: ' } as const

function describeVerdict(verdict: BacktestVerdict): string {
  const mark = MARKS[verdict.is]
  if (verdict.outcome === 'killed') return `${mark}${verdict.reason} at ${spanWords(verdict.atMs)}`
  return `${mark}${verdict.outcome === 'exited' ? 'exited' : 'left alone'}`
}

function sumUp(verdicts: readonly BacktestVerdict[]): string {
  const count = (is: BacktestVerdict['is']) => verdicts.filter((verdict) => verdict.is === is).length
  return `${verdicts.filter(({ outcome }) => outcome === 'killed').length} killed, ${count('wrong-kill')} of them wrongly, ${count('missed')} missed, of ${verdicts.length}`
}
