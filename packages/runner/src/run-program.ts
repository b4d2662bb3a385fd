import { RUNNER_EXIT } from '@sessiond/protocol'
import type { AgentHandler } from './agent-context.ts'
import { describeError, exitCodeOf } from './errors.ts'
import { FileMailbox } from './file-mailbox/file-mailbox.ts'
import { ClaimLoop } from './loop/claim-loop.ts'
import { type RunEnvironment, readRunEnvironment } from './run-environment.ts'
import type { OnStep } from './steps.ts'
import { surviveBrokenPipes } from './survive-broken-pipes.ts'
import { realRunnerWorld } from './world.ts'

/** From SIGTERM to leaving a handler behind that does not let go; well within a host's usual grace. */
const SETTLE_MS = 5_000

export interface Program {
  readonly handler: AgentHandler
  readonly per: 'message' | 'batch'
  /** Lets go of what the handler holds open between batches; called once the run is over. */
  readonly close?: () => Promise<void>
}

export interface RunProgramOptions {
  /** Builds the agent once the environment is read; may throw BAD_CONFIGURATION. */
  readonly prepare: (environment: RunEnvironment) => Program
  /** For crash tests; never set in production. */
  readonly onStep?: OnStep
  readonly settleMs?: number
}

/** Runs an agent for as long as the run lasts, then ends the process with the code that tells the host why. */
export async function runProgram(options: RunProgramOptions): Promise<never> {
  surviveBrokenPipes()
  process.exit(await runToExitCode(options))
}

async function runToExitCode({ prepare, onStep, settleMs = SETTLE_MS }: RunProgramOptions): Promise<number> {
  try {
    const environment = readRunEnvironment(process.env)
    const { inDir, outDir, epoch } = environment
    const world = realRunnerWorld
    const mailbox = new FileMailbox({ inDir, outDir, epoch, world, log, onStep: onStep ?? null })
    const program = prepare(environment)
    const loop = new ClaimLoop({
      ...program,
      environment,
      mailbox,
      world,
      settleMs,
      log,
      agentLog: (line) => process.stderr.write(`${line}\n`),
      onStep: onStep ?? (() => {}),
    })
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => loop.stop())
    const end = await loop.run().finally(() => closed(program, settleMs))
    if (end === 'superseded') log(`epoch ${epoch} is superseded: a newer run owns the session`)
    return end === 'superseded' ? RUNNER_EXIT.superseded : RUNNER_EXIT.ok
  } catch (error) {
    log(describeError(error))
    return exitCodeOf(error)
  }
}

/** Waits for the program to let go, but no longer than it may take to settle. */
async function closed({ close }: Program, settleMs: number): Promise<void> {
  if (close === undefined) return
  let cancel = () => {}
  const late = new Promise<void>((resolve) => {
    cancel = realRunnerWorld.setTimer(settleMs, resolve)
  })
  const closing = close().catch((error: unknown) => log(`the agent does not close: ${describeError(error)}`))
  await Promise.race([closing, late])
  cancel()
}

/** One line of the runner itself in the run's log. */
function log(line: string): void {
  process.stderr.write(`sessiond-runner: ${line}\n`)
}
