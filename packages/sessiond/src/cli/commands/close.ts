import type { Command } from 'commander'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { printResult } from '../print-result.ts'
import { parseSessionArgument } from '../session-argument.ts'

/** `sessiond close <session>`: ends a session for good. */
export function addClose(program: Command, context: CliContext): void {
  addCommand(program, 'close', 'close a session for good: open messages end, nothing wakes it again')
    .argument('<session>', '<group>/<session>, or <group> for its session main')
    .action(async (argument: string, options: CommonOptions) => {
      const { id, ...session } = parseSessionArgument(argument)
      const { outcome } = await (await findHost(options, context)).client.closeSession({ id, ...session })
      printResult(context, options, { session: id, outcome }, () =>
        outcome === 'closed' ? `${id} is closed.\n` : `${id} was closed before.\n`,
      )
    })
}
