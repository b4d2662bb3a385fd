import { CommanderError } from 'commander'
import type { CliContext } from './cli-context.ts'
import { createProgram } from './program.ts'
import { reportError } from './report-error.ts'

/** Runs one command line (without the program's own name) and sets the exit code; never throws. */
export async function runCli(args: readonly string[], context: CliContext): Promise<void> {
  const end = args.indexOf('--')
  const isJson = (end === -1 ? args : args.slice(0, end)).includes('--json')
  try {
    const program = createProgram(context, isJson)
    if (args.length === 0) return program.outputHelp()
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    // Help and version end by throwing too.
    if (error instanceof CommanderError && error.exitCode === 0) return
    reportError(error, context, isJson)
  }
}
