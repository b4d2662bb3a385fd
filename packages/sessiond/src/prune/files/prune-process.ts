import { type ChildProcess, fork } from 'node:child_process'
import { inheritedArguments } from '../../inherited-arguments.ts'
import { SessiondError } from '../../model/errors.ts'
import type { PruneAnswer, PruneRequest } from './messages.ts'

const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)
/** What a plan keeps is bounded by numbers of entries; this is for names of any length. */
const MAX_HEAP_MB = 1_024
/** Most of what is kept comes at once: with less room for the young, half the time goes into moving it about. */
const YOUNG_MB = 64

const HEAP = [
  `--max-old-space-size=${MAX_HEAP_MB}`,
  `--min-semi-space-size=${YOUNG_MB}`,
  `--max-semi-space-size=${YOUNG_MB}`,
]

type Answer = Exclude<PruneAnswer, { kind: 'ready' }>

/** The child that looks at and removes files: for one plan or one apply, and gone afterwards. */
export class PruneProcess implements AsyncDisposable {
  /** Resolves when it is gone. */
  readonly exited: Promise<void>
  readonly #child: ChildProcess
  #end: SessiondError | null = null
  #onEvent: (event: PruneAnswer | SessiondError) => void = () => {}

  private constructor() {
    this.#child = fork(PROGRAM, [], {
      execArgv: [...HEAP, ...inheritedArguments(PROGRAM)],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // Nothing of the host's environment is its business.
      env: {},
      // Not where a folder may be removed meanwhile.
      cwd: '/',
    })
    this.#child.on('message', (message) => this.#onEvent(message as PruneAnswer))
    this.exited = new Promise((resolve) => {
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
  static async start(): Promise<PruneProcess> {
    const started = new PruneProcess()
    await started.#next(
      () => {},
      (answer) => answer.kind === 'ready',
    )
    return started
  }

  /** Has one request done; chunks come one by one before the answer. Throws PRUNE_FAILED when the child dies. */
  async ask(
    request: PruneRequest,
    onChunk: (answer: Answer & { kind: 'removals' }) => void = () => {},
  ): Promise<Exclude<Answer, { kind: 'removals' }>> {
    const answer = await this.#next(
      // A send that fails is followed by the exit.
      () => this.#child.send(request, () => {}),
      (each) => {
        if (each.kind !== 'removals') return true
        onChunk(each)
        return false
      },
    )
    if (answer.kind === 'ready' || answer.kind === 'removals') throw new TypeError('The pruner answered out of turn')
    return answer
  }

  /**
   * Of what is under way: `stop` ends it where it is, a plan with what it has seen so far; `pause` has it rest until
   * `resume` or `stop`.
   */
  tell(kind: 'stop' | 'pause' | 'resume'): void {
    if (this.#child.connected) this.#child.send({ kind } satisfies PruneRequest, () => {})
  }

  /** Ends it at once, whatever it is at, and resolves when it is gone. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end ??= failure('ended')
    this.#child.kill('SIGKILL')
    await this.exited
  }

  #next(begin: () => void, isAwaited: (answer: PruneAnswer) => boolean): Promise<PruneAnswer> {
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
}

function failure(how: string): SessiondError {
  return new SessiondError('PRUNE_FAILED', `The process that prunes files broke off (${how}).`, { fields: { how } })
}
