import type { Command } from 'commander'
import type { Health } from '../../api.ts'
import { escapeLine } from '../../model/escape.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { EXIT } from '../exit-codes.ts'
import { findHost } from '../find-host.ts'
import { formatPairs } from '../format/table.ts'
import { formatAge, formatSpan } from '../format/time.ts'
import { printResult } from '../print-result.ts'

/** `sessiond health`: whether the running host gets on with its work; for service managers. */
export function addHealth(program: Command, context: CliContext): void {
  addCommand(program, 'health', 'tell whether the host gets on with its work').action(
    async (options: CommonOptions) => {
      const { client } = await findHost(options, context)
      const health = await client.health()
      printResult(context, options, health, () => describeHealth(health, context.now()))
      if (!health.ok) context.setExitCode(EXIT.unhealthy)
    },
  )
}

function describeAccount(account: Health['accounts'][number], nowMs: number): string {
  const { name, state, reason, parkedUntilMs, allowed } = account
  switch (state) {
    case 'parked': {
      const untilMs = parkedUntilMs - nowMs
      const when = untilMs > 0 ? `for another ${formatSpan(untilMs)}` : 'and about to be probed'
      return `${name} is parked ${when} (${reason})`
    }
    case 'probing':
      return `${name} is being probed (${reason})`
    case 'ramping':
      return `${name} lets ${allowed} sessions work at once after a ${reason}`
    case 'open':
      return `${name} is open`
  }
}

function describeHealth(health: Health, nowMs: number): string {
  const pairs: [string, string][] = [
    ['health', health.ok ? 'ok' : 'not ok'],
    ['host', `version ${health.version}, pid ${health.pid}, started ${formatAge(health.startedAtMs, nowMs)}`],
    ['runs', `${health.liveRuns} of at most ${health.maxRuns}`],
    ['last sweep', health.lastSweepAgeMs === null ? 'none yet' : `${formatSpan(health.lastSweepAgeMs)} ago`],
    ['oldest due', health.oldestDueAgeMs === null ? 'nothing waits' : `${formatSpan(health.oldestDueAgeMs)} ago`],
    ...health.accounts.map((account): [string, string] => ['account', describeAccount(account, nowMs)]),
    ...health.problems.map((problem): [string, string] => ['problem', escapeLine(problem)]),
  ]
  return formatPairs(pairs)
}
