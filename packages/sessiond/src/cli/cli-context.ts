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
  /**
   * The first SIGINT or SIGTERM from now on aborts the signal instead of ending the process with 130. The second ends
   * it all the same: whoever asks twice does not want to wait.
   */
  handleInterrupt(): AbortSignal
  /** From now on a reader who is gone ends nothing: this is a host. */
  outliveReader(): void
  setExitCode(code: number): void
}

/** Options every command has. */
export interface CommonOptions {
  readonly config?: string
  readonly json?: boolean
}
