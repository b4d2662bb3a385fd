import { type ChildProcess, fork } from 'node:child_process'
import { inheritedArguments } from '../../inherited-arguments.ts'
import { SessiondError } from '../../model/errors.ts'
import type { ArchiveAnswer, ArchiveRequest } from './archive-messages.ts'

const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

export type FinalAnswer = Exclude<ArchiveAnswer, { kind: 'ready' | 'progress' }>

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
    await started.#next(
      () => {},
      (answer) => answer.kind === 'ready',
    )
    return started
  }

  /** False: it has died, or was ended. */
  get isAlive(): boolean {
    return this.#end === null && !this.#child.killed
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Has one request done. Throws PRUNE_FAILED when the child dies. */
  async ask(request: ArchiveRequest, onProgress: () => void = () => {}): Promise<FinalAnswer> {
    const answer = await this.#next(
      // A send that fails is followed by the exit.
      () => this.#child.send(request, () => {}),
      (each) => {
        if (each.kind !== 'progress') return true
        onProgress()
        return false
      },
    )
    if (answer.kind === 'ready' || answer.kind === 'progress') throw new TypeError('The archiver answered out of turn')
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

  #next(begin: () => void, isAwaited: (answer: ArchiveAnswer) => boolean): Promise<ArchiveAnswer> {
    if (this.#end !== null) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      this.#onEvent = (event) => {
        if (event instanceof SessiondError) reject(event)
        else if (isAwaited(event)) resolve(event)
      }
      begin()
    })
  }
}

function failure(how: string): SessiondError {
  return new SessiondError('PRUNE_FAILED', `The process that archives sessions broke off (${how}).`, {
    fields: { how },
  })
}
