import { inspect } from 'node:util'
import { RUNNER_EXIT } from '@sessiond/protocol'

export type RunnerErrorCode = 'BAD_CONFIGURATION' | 'MAILBOX_UNWRITABLE' | 'MAILBOX_CLOSED'

/** A failure that ends the run; its code decides the exit code the host sees. */
export class RunnerError extends Error {
  override readonly name = 'RunnerError'
  readonly code: RunnerErrorCode

  constructor(code: RunnerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The exit code that tells the host of `error`; 1 for what has no code of its own. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof RunnerError)) return 1
  return error.code === 'BAD_CONFIGURATION' ? RUNNER_EXIT.badConfiguration : RUNNER_EXIT.mailboxUnwritable
}

/** What went wrong, in one line without a stack, whatever was thrown: handlers throw odd things. */
export function describeError(error: unknown): string {
  const message: unknown = error instanceof Error ? error.message : error
  if (typeof message === 'string' && message !== '') return message
  if (error instanceof Error && message === '') return String(error.name)
  return inspect(message, { depth: 2, breakLength: Number.POSITIVE_INFINITY, customInspect: false })
}
