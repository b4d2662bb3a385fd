import type { Command } from 'commander'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { printResult } from '../print-result.ts'
import { parseSessionArgument } from '../session-argument.ts'

/** `sessiond stop <session>`: ends what its agent is doing. */
export function addStop(program: Command, context: CliContext): void {
  addCommand(program, 'stop', 'stop what the agent of a session is doing; later messages wake a new run')
    .argument('<session>', '<group>/<session>, or <group> for its session main')
    .action(async (argument: string, options: CommonOptions) => {
      const session = parseSessionArgument(argument)
      const answer = await (await findHost(options, context)).client.stopSession(session)
      printResult(context, options, { session: session.id, ...answer }, () => describe(session.id, answer))
    })
}

function describe(id: string, { cancelled, runStopped }: { cancelled: number; runStopped: boolean }): string {
  if (cancelled === 0 && !runStopped) return `Nothing was running in ${id}.\n`
  const run = runStopped ? 'its run is being stopped' : 'it had no run'
  return `${id}: ${cancelled} ${cancelled === 1 ? 'message' : 'messages'} cancelled, ${run}.\n`
}
