import { writeSync } from 'node:fs'
import type { CliContext } from './cli-context.ts'
import { EXIT } from './exit-codes.ts'

/** The context of a real command: this process. */
export function processContext(): CliContext {
  const interrupted = new AbortController()
  let onSecond: () => void = () => {}
  const interrupt = (): void => {
    if (interrupted.signal.aborted) onSecond()
    else interrupted.abort()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  // A reader that has had enough (`| head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok)
    writeSync(2, `error: standard output cannot be written (${error.code})\n`)
    process.exit(EXIT.failed)
  })
  return {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isErrTerminal: process.stderr.isTTY === true,
    now: () => Date.now(),
    interrupted: interrupted.signal,
    onSecondInterrupt: (listener) => {
      onSecond = listener
    },
    setExitCode: (code) => {
      process.exitCode = code
    },
  }
}
