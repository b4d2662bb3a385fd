import type { Command } from 'commander'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { describeRuns } from '../format/run.ts'
import { wholeNumber } from '../parse-option.ts'
import { printResult } from '../print-result.ts'
import { parseSessionArgument } from '../session-argument.ts'

interface RunsOptions extends CommonOptions {
  readonly limit?: number
}

/** `sessiond runs <session>`: how each of its runs started and ended. */
export function addRuns(program: Command, context: CliContext): void {
  addCommand(program, 'runs', 'list the runs of a session')
    .argument('<session>', '<group>/<session>, or <group> for its session main')
    .option('--limit <n>', 'at most so many, the newest', wholeNumber(1, 1_000))
    .action(async (argument: string, { limit, ...options }: RunsOptions) => {
      const session = parseSessionArgument(argument)
      const { client } = await findHost(options, context)
      const runs = await client.listRuns(session, limit)
      printResult(context, options, { runs }, () => describeRuns(runs, context.now()) || 'No runs yet.\n')
    })
}
