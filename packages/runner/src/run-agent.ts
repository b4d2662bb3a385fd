import type { AgentHandler } from './agent-context.ts'
import { runProgram } from './run-program.ts'

export interface RunAgentOptions {
  /**
   * `batch`: all that is due is handed over together and acknowledged together. `message`: one message at a time,
   * with the context before it.
   * @default 'batch'
   */
  readonly per?: 'message' | 'batch'
  /**
   * How long, in ms, a handler may take to let go after SIGTERM. Too low: it cannot finish what it was about to
   * say. Too high: the host's grace ends first and kills it.
   * @default 5000
   */
  readonly settleMs?: number
}

/**
 * Makes this program a session's agent: hands its messages to `handler` until the run ends, then exits. A handler that
 * holds something open for the length of the run is given the chance to close it first.
 */
export function runAgent(
  handler: AgentHandler & Partial<AsyncDisposable>,
  options: RunAgentOptions = {},
): Promise<never> {
  const { per = 'batch', settleMs } = options
  const close = async () => handler[Symbol.asyncDispose]?.()
  return runProgram({ prepare: () => ({ handler, per, close }), ...(settleMs === undefined ? {} : { settleMs }) })
}
