import type { Command } from 'commander'
import type { Explanation } from '../../api.ts'
import { escapeLine } from '../../model/escape.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { printResult } from '../print-result.ts'
import { parseWhyArgument } from '../why-argument.ts'

/** Of a sentence, and of a line of a run's last words. */
const LINE_CHARS = 5_000

/** `sessiond why <session|message|run>`: what was decided, on what evidence, what became of whom, what comes next. */
export function addWhy(program: Command, context: CliContext): void {
  addCommand(program, 'why', 'say what happened to a session, a run or a message, and why')
    .argument('<what>', '<group>/<session> (its newest run), <group>/<session>#<run>, or the id of a message')
    .action(async (argument: string, options: CommonOptions) => {
      const query = parseWhyArgument(argument)
      const { client } = await findHost(options, context)
      const explanation = await client.why(query)
      printResult(context, options, explanation, () => describe(explanation))
    })
}

/** What a run printed is indented, which nothing that the host says is. */
function describe({ sentences, box }: Explanation): string {
  const output = box?.output?.trimEnd() ?? ''
  const words = output === '' ? [] : ['Its last words:', ...output.split('\n').map((line) => `  ${line}`)]
  return [...sentences, ...words].map((line) => `${escapeLine(line, LINE_CHARS)}\n`).join('')
}
