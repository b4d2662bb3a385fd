import { type ChildProcess, fork } from 'node:child_process'
import { inheritedArguments } from '../../inherited-arguments.ts'
import { SessiondError } from '../../model/errors.ts'
import type { ArchiveAnswer, ArchiveRequest } from './archive-messages.ts'

const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

/** `broken-off`: the child was not to go on, and is ended. */
export type FinalAnswer = Exclude<ArchiveAnswer, { kind: 'ready' | 'progress' }> | { readonly kind: 'broken-off' }

/** The child that packs and removes directories: for the sessions of one call, and gone afterwards. */
export class ArchiveProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #end: SessiondError | null = null
  #onEvent: (event: ArchiveAnswer | SessiondError) => void = () => {}

  private constructor() {
    this.#child = fork(PROGRAM, [], {
      execArgv: [...inheritedArguments(PROGRAM)],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // Nothing of the host's environment is its business.
      env: {},
      // Not where a folder may be removed meanwhile.
      cwd: '/',
    })
    this.#child.on('message', (message) => this.#onEvent(message as ArchiveAnswer))
    this.#exited = new Promise((resolve) => {
      const end = (how: string) => {
        this.#end ??= failure(how)
        this.#onEvent(this.#end)
        resolve()
      }
      this.#child.on('error', (error) => {
        // Also reported for a message that could not be sent; then the exit follows.
        if (this.#child.pid === undefined) end(error.message)
      })
      this.#child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  /** Resolves when the child can be asked. Throws PRUNE_FAILED. */
  static async start(): Promise<ArchiveProcess> {
    const started = new ArchiveProcess()
    await started.#next(() => {})
    return started
  }

  /** False: it has died, or was ended. */
  get isAlive(): boolean {
    return this.#end === null && !this.#child.killed
  }

  /**
   * Has one request done. Between its pieces the child waits while `mayGoOn` is asked, once at a time. Throws PRUNE_FAILED
   * when the child dies, and what `mayGoOn` throws.
   */
  async ask(request: ArchiveRequest, mayGoOn: () => Promise<boolean>): Promise<FinalAnswer> {
    let answer = await this.#say(request)
    while (answer.kind === 'progress') {
      let goesOn = false
      try {
        goesOn = await mayGoOn()
      } finally {
        if (!goesOn) this.kill()
      }
      if (!goesOn) return { kind: 'broken-off' }
      answer = await this.#say({ kind: 'go-on' })
    }
    if (answer.kind === 'ready') throw new TypeError('The archiver answered out of turn')
    return answer
  }

  /** Ends it at once, whatever it is at: what it leaves behind is gone on from. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end ??= failure('ended')
    this.kill()
    await this.#exited
  }

  #say(request: ArchiveRequest): Promise<ArchiveAnswer> {
    // A send that fails is followed by the exit.
    return this.#next(() => this.#child.send(request, () => {}))
  }

  #next(begin: () => void): Promise<ArchiveAnswer> {
    if (this.#end !== null) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      this.#onEvent = (event) => (event instanceof SessiondError ? reject(event) : resolve(event))
      begin()
    })
  }
}

function failure(how: string): SessiondError {
  return new SessiondError('PRUNE_FAILED', `The process that archives sessions broke off (${how}).`, {
    fields: { how },
  })
}
