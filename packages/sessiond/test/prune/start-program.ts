import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A program beside the test, asked by messages. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcess
  /** Sends a message and resolves with the next one that comes. */
  ask(message: string): Promise<unknown>
  next(): Promise<unknown>
  /** Ends it at once and resolves when it is gone. */
  kill(): Promise<void>
}

/** Starts a program of `programs/` and resolves when it says `ready`. */
export async function startProgram(name: string, args: readonly string[]): Promise<Program> {
  const child = fork(new URL(`./programs/${name}.ts`, import.meta.url), args, {
    execArgv: ['--conditions=sessiond-source', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  const exited = once(child, 'exit')
  const next = async () => {
    const [message] = await Promise.race([
      once(child, 'message'),
      exited.then(([code, signal]) => Promise.reject(new Error(`${name} has ended: ${signal ?? code}`))),
    ])
    return message
  }
  exited.catch(() => {})
  await next()
  return {
    child,
    next,
    ask(message) {
      const answer = next()
      child.send(message)
      return answer
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
