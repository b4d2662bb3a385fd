import { type ChildProcess, fork, type Serializable } from 'node:child_process'
import { inheritedArguments } from '../inherited-arguments.ts'
import { SessiondError } from '../model/errors.ts'

/** A child process that says something first, does one thing after another, and is gone once it is disposed of. */
export class Child<Request extends Serializable, Answer> implements AsyncDisposable {
  /** Resolves when it is gone. */
  readonly exited: Promise<void>
  readonly #process: ChildProcess
  /** For people. */
  readonly #what: string
  #end: SessiondError | null = null
  #onEvent: (event: Answer | SessiondError) => void = () => {}

  constructor(program: URL, what: string, execArgv: readonly string[] = []) {
    this.#what = what
    this.#process = fork(program, [], {
      execArgv: [...execArgv, ...inheritedArguments(program)],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // Nothing of the host's environment is its business.
      env: {},
      // Not where a folder may be removed meanwhile.
      cwd: '/',
    })
    this.#process.on('message', (message) => this.#onEvent(message as Answer))
    this.exited = new Promise((resolve) => {
      const end = (how: string) => {
        this.#end ??= this.#failure(how)
        this.#onEvent(this.#end)
        resolve()
      }
      this.#process.on('error', (error) => {
        // Also reported for a message that could not be sent; then the exit follows.
        if (this.#process.pid === undefined) end(error.message)
      })
      this.#process.on('exit', (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  /** False: it has died, or was ended. */
  get isAlive(): boolean {
    return this.#end === null && !this.#process.killed
  }

  /** Resolves with what it says first: it can be asked. Throws PRUNE_FAILED when it dies. */
  started(): Promise<Answer> {
    return this.#next(
      () => {},
      () => true,
    )
  }

  /** Says something, and resolves with the first answer that is awaited. Throws PRUNE_FAILED when it dies. */
  ask(request: Request, isAwaited: (answer: Answer) => boolean = () => true): Promise<Answer> {
    // A send that fails is followed by the exit.
    return this.#next(() => this.#process.send(request, () => {}), isAwaited)
  }

  /** Says what has no answer. */
  tell(request: Request): void {
    if (this.#process.connected) this.#process.send(request, () => {})
  }

  /** Ends it at once, whatever it is at. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }

  /** The same, and resolves when it is gone. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end ??= this.#failure('ended')
    this.kill()
    await this.exited
  }

  #next(begin: () => void, isAwaited: (answer: Answer) => boolean): Promise<Answer> {
    if (this.#end !== null) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      this.#onEvent = (event) => {
        try {
          if (event instanceof SessiondError) reject(event)
          else if (isAwaited(event)) resolve(event)
        } catch (error) {
          reject(error)
        }
      }
      begin()
    })
  }

  #failure(how: string): SessiondError {
    return new SessiondError('PRUNE_FAILED', `${this.#what} broke off (${how}).`, { fields: { how } })
  }
}
