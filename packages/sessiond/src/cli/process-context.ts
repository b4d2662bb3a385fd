import { writeSync } from 'node:fs'
import type { CliContext } from './cli-context.ts'
import { EXIT } from './exit-codes.ts'

/** The context of a real command: this process. */
export function processContext(): CliContext {
  let isHost = false
  // A reader that has had enough (`| head`) is no error. A host works on though nobody reads what it says.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isHost) return
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok)
    writeSync(2, `error: standard output cannot be written (${error.code})\n`)
    process.exit(EXIT.failed)
  })
  // There is nobody left to tell.
  process.stderr.on('error', () => {})
  return {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isErrTerminal: process.stderr.isTTY === true,
    now: () => Date.now(),
    outliveReader: () => {
      isHost = true
    },
    handleInterrupt: takeInterrupts(),
    setExitCode: (code) => {
      process.exitCode = code
    },
  }
}

/** SIGINT and SIGTERM end this process at once, unless the command wants to end by itself. */
function takeInterrupts(): CliContext['handleInterrupt'] {
  const interrupted = new AbortController()
  let isHandled = false
  const interrupt = (): void => {
    if (!isHandled || interrupted.signal.aborted) process.exit(EXIT.interrupted)
    interrupted.abort()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  return () => {
    isHandled = true
    return interrupted.signal
  }
}
