import type { Command } from 'commander'
import type { SweepReport } from '../../api.ts'
import { escapeLine } from '../../model/escape.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { formatTable } from '../format/table.ts'
import { printResult } from '../print-result.ts'

interface SweepOptions extends CommonOptions {
  readonly once: true
  readonly dryRun?: boolean
}

/** `sessiond sweep --once`: prints each decision with its evidence. */
export function addSweep(program: Command, context: CliContext): void {
  addCommand(program, 'sweep', 'sweep now and print each decision with its evidence')
    .requiredOption('--once', 'sweep once (the host itself sweeps all the time)')
    .option('--dry-run', 'decide, but change nothing')
    .action(async ({ dryRun = false, ...options }: SweepOptions) => {
      const { client } = await findHost(options, context)
      const report = await client.sweepOnce(dryRun)
      printResult(context, options, report, () => describeSweep(report))
    })
}

/** What `sessiond sweep` prints for people. */
export function describeSweep({ lines, tookMs, dryRun }: SweepReport): string {
  const head = ['SESSION', 'RUN', 'ACTION', 'BECAUSE', 'EVIDENCE', 'OUTCOME']
  const rows = lines.map((line) => [
    line.sessionId,
    line.epoch === null ? '-' : String(line.epoch),
    line.action,
    line.because,
    escapeLine(describeEvidence(line.evidence)),
    escapeLine(line.outcome ?? '-'),
  ])
  const count = lines.length === 1 ? 'one decision' : `${lines.length} decisions`
  return `${formatTable(head, rows)}${count}, ${Math.round(tookMs)} ms${dryRun ? ', dry run: nothing changed' : ''}\n`
}

function describeEvidence(evidence: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(evidence).map(([key, value]) => `${key}=${JSON.stringify(rounded(key, value))}`)
  return pairs.length === 0 ? '-' : pairs.join(' ')
}

/** Clocks tell more of a millisecond than anybody reads; JSON has all of it. */
function rounded(key: string, value: unknown): unknown {
  return typeof value === 'number' && key.endsWith('Ms') ? Math.round(value) : value
}
