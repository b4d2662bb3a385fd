import { type ChildProcess, fork } from 'node:child_process'
import { inheritedArguments } from '../inherited-arguments.ts'
import type { World } from '../world.ts'
import type { WorkerAnswer, WorkerRequest } from './operations.ts'

export type Outcome =
  | { readonly kind: 'answer'; readonly answer: WorkerAnswer }
  | { readonly kind: 'timeout' }
  /** `began`: the request had reached the process, so it may be what killed it. */
  | { readonly kind: 'died'; readonly began: boolean; readonly how: string }

/** Starting a process takes no longer than this on any machine worth running on. */
const START_MS = 30_000

/** A reader kills itself when its host has not done so by then. */
const WATCHDOG_FACTOR = 2

/** One long-lived child process that answers one request at a time. */
export class ReaderProcess {
  /** Resolves once the process is gone and can touch no file any more. */
  readonly exited: Promise<void>
  readonly #child: ChildProcess
  readonly #world: World
  #isReady = false
  #onEvent: ((event: 'ready' | WorkerAnswer | Error) => void) | null = null
  #end: string | null = null

  constructor(program: URL, timeoutMs: number, world: World) {
    this.#world = world
    this.#child = fork(program, [String(timeoutMs * WATCHDOG_FACTOR)], {
      execArgv: ['--max-semi-space-size=1', ...inheritedArguments(program)],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // Nothing of the host's environment is its business.
      env: {},
    })
    // An idle reader keeps no program running.
    this.#child.unref()
    this.#child.channel?.unref()
    this.#child.on('message', (message) => this.#onMessage(message))
    this.exited = new Promise((resolve) => {
      const end = (how: string) => {
        this.#end ??= how
        this.#onEvent?.(new Error(how))
        resolve()
      }
      this.#child.on('error', (error) => {
        // Also reported for a message or signal that could not be sent; then the exit follows.
        if (this.#child.pid === undefined) end(error.message)
      })
      this.#child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  get isAlive(): boolean {
    return this.#end === null
  }

  /** Has a request done. A process that does not answer in time is killed; it must not be asked again then. */
  ask(request: WorkerRequest, timeoutMs: number): Promise<Outcome> {
    if (this.#end !== null) return Promise.resolve({ kind: 'died', began: false, how: this.#end })
    return new Promise((resolve) => {
      let began = false
      let cancelTimer = () => {}
      const finish = (outcome: Outcome) => {
        cancelTimer()
        this.#onEvent = null
        resolve(outcome)
      }
      const limit = (ms: number) => {
        cancelTimer()
        cancelTimer = this.#world.setTimer(ms, () => {
          this.kill()
          finish(began ? { kind: 'timeout' } : { kind: 'died', began, how: 'it did not start' })
        })
      }
      const begin = () => {
        began = true
        limit(timeoutMs)
        // A send that fails is followed by the exit.
        this.#child.send(request, () => {})
      }
      this.#onEvent = (event) => {
        if (event instanceof Error) finish({ kind: 'died', began, how: event.message })
        else if (event === 'ready') begin()
        else finish({ kind: 'answer', answer: event })
      }
      // The clock of a request starts when somebody can work on it.
      if (this.#isReady) begin()
      else limit(START_MS)
    })
  }

  /** Ends an idle process: it holds nothing that could be lost. */
  end(): Promise<void> {
    this.#child.ref()
    this.kill()
    return this.exited
  }

  kill(): void {
    this.#end ??= 'killed'
    this.#child.kill('SIGKILL')
  }

  #onMessage(message: unknown): void {
    if (message === 'ready') {
      this.#isReady = true
      this.#onEvent?.('ready')
    } else {
      this.#onEvent?.(message as WorkerAnswer)
    }
  }
}
