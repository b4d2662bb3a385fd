import type { Command } from 'commander'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { printResult } from '../print-result.ts'
import { parseMessageArgument } from '../session-argument.ts'

/** `sessiond cancel <message>`: ends one message, also while it is worked on. */
export function addCancel(program: Command, context: CliContext): void {
  addCommand(program, 'cancel', 'cancel a message; work on it ends')
    .argument('<message>', "the message's id")
    .action(async (argument: string, options: CommonOptions) => {
      const message = parseMessageArgument(argument)
      const { outcome } = await (await findHost(options, context)).client.cancelMessage(message)
      printResult(context, options, { message, outcome }, () =>
        outcome === 'cancelled' ? `${message} is cancelled.\n` : `${message} is being cancelled: its run is told.\n`,
      )
    })
}
