import type { Command } from 'commander'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { printResult } from '../print-result.ts'
import { parseSessionArgument } from '../session-argument.ts'

/** `sessiond zone`: where the user of a session is. */
export function addZone(program: Command, context: CliContext): void {
  addCommand(program, 'zone', 'say in which time zone the user of a session is; its tasks go by it')
    .argument('<session>', '<group>/<session>, or <group> for its session main')
    .argument('<zone>', "an IANA name such as Europe/Berlin, or none for its group's")
    .action(async (target: string, zone: string, options: CommonOptions) => {
      const session = parseSessionArgument(target)
      const { client } = await findHost(options, context)
      const answer = await client.setTimeZone(session, zone === 'none' ? null : zone)
      const words = answer.timeZone ?? 'the zone of its group'
      printResult(context, options, answer, () => `${session.id} goes by ${words}.\n`)
    })
}
