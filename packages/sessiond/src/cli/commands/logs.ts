import type { Command } from 'commander'
import { escapeText } from '../../model/escape.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { wholeNumber } from '../parse-option.ts'
import { printResult } from '../print-result.ts'
import { parseSessionArgument } from '../session-argument.ts'

interface LogsOptions extends CommonOptions {
  readonly run?: number
}

/** `sessiond logs <session>`: the end of what a run printed, made safe for a terminal. */
export function addLogs(program: Command, context: CliContext): void {
  addCommand(program, 'logs', 'print the end of what a run printed')
    .argument('<session>', '<group>/<session>, or <group> for its session main')
    .option('--run <n>', 'number of the run (default: the newest)', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .action(async (argument: string, { run, ...options }: LogsOptions) => {
      const session = parseSessionArgument(argument)
      const { client } = await findHost(options, context)
      const log = await client.readRunLog(session, run ?? 'latest')
      printResult(context, options, log, () => endLine(escapeText(log.text)))
    })
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}
