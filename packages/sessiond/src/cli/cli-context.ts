import type { Environment } from '../config/environment.ts'

/** What a command may touch of the process it runs in. */
export interface CliContext {
  readonly env: Environment
  readonly cwd: string
  readonly stdin: AsyncIterable<Uint8Array>
  /** Standard output: results only. */
  out(text: string): void
  /** Standard error: errors and remarks. */
  err(text: string): void
  /** True when a person reads standard error. */
  readonly isErrTerminal: boolean
  now(): number
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal
  /** Calls back on the second one: whoever asks twice does not want to wait. */
  onSecondInterrupt(listener: () => void): void
  setExitCode(code: number): void
}

/** Options every command has. */
export interface CommonOptions {
  readonly config?: string
  readonly json?: boolean
}
