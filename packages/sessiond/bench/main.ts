import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { BenchContext, Benchmark, Row } from './benchmark.ts'
import { cold } from './benchmarks/cold.ts'
import { exit } from './benchmarks/exit.ts'
import { files } from './benchmarks/files.ts'
import { history } from './benchmarks/history.ts'
import { hundred } from './benchmarks/hundred.ts'
import { sampling } from './benchmarks/sampling.ts'
import { sendRate } from './benchmarks/send-rate.ts'
import { series } from './benchmarks/series.ts'
import { sweep } from './benchmarks/sweep.ts'
import { warm } from './benchmarks/warm.ts'
import { medianRows } from './median-rows.ts'
import { makeScratch } from './scratch.ts'
import { roundFigure } from './statistics.ts'
import { formatTable, verdictOf } from './table.ts'

const BENCHMARKS: readonly Benchmark[] = [sweep, warm, cold, exit, sendRate, history, hundred, sampling, series, files]

const USAGE = `npm run bench -- [--only <name>] [--rounds <n>] [--quick] [--json]

  --only <name>   one benchmark (may be repeated):
${BENCHMARKS.map(({ name, about }) => `                    ${name.padEnd(10)} ${about}`).join('\n')}
  --rounds <n>    all of them n times; each line is the round with the median figure
  --quick         few samples: shows that it works, not what the figures are
  --json          the lines as JSON
`

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) process.stdout.write(USAGE)
else await main()

async function main(): Promise<void> {
  const chosen = choose(values.only)
  const before = loadavg()
  await using scratch = await makeScratch()
  const context: BenchContext = {
    scratch,
    isQuick: values.quick,
    say: (text) => process.stderr.write(`${text}\n`),
  }
  const rounds: Row[][] = []
  for (let round = 0; round < Math.max(1, Number(values.rounds)); round += 1) rounds.push(await runAll(chosen, context))
  const rows = medianRows(rounds)
  const machine = describeMachine(before)
  const lines = rows.map((row) => ({ ...row, result: verdictOf(row) }))
  process.stdout.write(
    values.json ? `${JSON.stringify({ machine, rows: lines }, null, 2)}\n` : `${formatTable(rows)}\n\n${machine}\n`,
  )
}

async function runAll(chosen: readonly Benchmark[], context: BenchContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const benchmark of chosen) {
    context.say(`== ${benchmark.name}: ${benchmark.about}`)
    rows.push(...(await benchmark.run(context)))
  }
  return rows
}

function choose(names: readonly string[] | undefined): readonly Benchmark[] {
  if (names === undefined) return BENCHMARKS
  const unknown = names.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name))
  if (unknown !== undefined) {
    process.stderr.write(`There is no benchmark ${unknown}.\n\n${USAGE}`)
    process.exit(2)
  }
  return BENCHMARKS.filter(({ name }) => names.includes(name))
}

function describeMachine(before: readonly number[]): string {
  const loads = [before[0] ?? 0, loadavg()[0] ?? 0].map(roundFigure).join(' to ')
  const memory = `${roundFigure(totalmem() / 1024 ** 3)} GB`
  const rounds = Number(values.rounds) > 1 ? `; median of ${values.rounds} rounds` : ''
  const cpu = `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`
  return `${cpu}, ${memory}, ${process.platform}, Node ${process.version}, data on a real disk; load ${loads}${rounds}`
}
