import type { Command } from 'commander'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findConfig } from '../find-config.ts'
import { connect } from '../find-host.ts'
import { followEvents } from '../follow-events.ts'
import { describeEvent } from '../format/event.ts'
import { wholeNumber } from '../parse-option.ts'
import { printResult } from '../print-result.ts'
import { parseSessionArgument } from '../session-argument.ts'

interface TailOptions extends CommonOptions {
  readonly after?: number
}

/** `sessiond tail [<session>]`: everything that happens, live, until interrupted; survives restarts of the host. */
export function addTail(program: Command, context: CliContext): void {
  addCommand(program, 'tail', 'follow everything that happens, live; resumes when the host restarts')
    .argument('[session]', '<group>/<session>, or <group> for its session main (default: all)')
    .option('--after <id>', 'begin after this event (default: now)', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .action(async (argument: string | undefined, { after, ...options }: TailOptions) => {
      const session = argument === undefined ? undefined : parseSessionArgument(argument)
      const found = await findConfig(options, context)
      const events = followEvents({
        connect: () => connect(found),
        ...(session === undefined ? {} : { sessionId: session.id }),
        ...(after === undefined ? {} : { afterId: after }),
        signal: context.handleInterrupt(),
        onLost: () => context.err('The host is gone; waiting for it to come back.\n'),
      })
      for await (const event of events) printResult(context, options, event, () => describeEvent(event))
    })
}
