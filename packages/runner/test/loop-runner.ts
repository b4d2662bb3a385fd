import type { AgentHandler } from '../src/agent-context.ts'
import { FileMailbox } from '../src/file-mailbox/file-mailbox.ts'
import { ClaimLoop, type LoopEnd } from '../src/loop/claim-loop.ts'
import type { OnStep } from '../src/steps.ts'
import { realRunnerWorld } from '../src/world.ts'
import type { HostSide } from './host-side.ts'

export interface LoopRunner {
  readonly loop: ClaimLoop
  readonly ended: Promise<LoopEnd>
  /** Lines the runner and the agent have logged. */
  readonly lines: readonly string[]
  stop(): Promise<LoopEnd>
}

export interface LoopRunnerOptions {
  readonly per?: 'message' | 'batch'
  readonly epoch?: number
  readonly settleMs?: number
  readonly onStep?: OnStep
}

/** Runs the claim loop in this process, on the host side's real files. */
export function runLoop(host: HostSide, handler: AgentHandler, options: LoopRunnerOptions = {}): LoopRunner {
  const { per = 'message', epoch = 1, settleMs = 2_000, onStep = () => {} } = options
  const { inDir, outDir, workDir } = host
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const world = realRunnerWorld
  const loop = new ClaimLoop({
    handler,
    per,
    environment: { inDir, outDir, workDir, session: 'group/session', epoch, agentJson: null },
    mailbox: new FileMailbox({ inDir, outDir, epoch, world, log, onStep: null }),
    world,
    settleMs,
    log,
    agentLog: log,
    onStep,
  })
  const ended = loop.run()
  // A test that expects a failure awaits `ended`; in any other it shows up there, not as an unhandled rejection.
  ended.catch(() => {})
  return {
    loop,
    ended,
    lines,
    stop: () => {
      loop.stop()
      return ended
    },
  }
}
