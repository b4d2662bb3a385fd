import { Child } from '../child.ts'
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
  readonly #child = new Child<PruneRequest, PruneAnswer>(PROGRAM, 'The process that prunes files', HEAP)

  private constructor() {}

  /** Resolves when the child can be asked. Throws PRUNE_FAILED. */
  static async start(): Promise<PruneProcess> {
    const starting = new PruneProcess()
    await starting.#child.started()
    return starting
  }

  /** Resolves when it is gone. */
  get exited(): Promise<void> {
    return this.#child.exited
  }

  /** Has one request done; chunks come one by one before the answer. Throws PRUNE_FAILED when the child dies. */
  async ask(
    request: PruneRequest,
    onChunk: (answer: Answer & { kind: 'removals' }) => void = () => {},
  ): Promise<Exclude<Answer, { kind: 'removals' }>> {
    const answer = await this.#child.ask(request, (each) => {
      if (each.kind !== 'removals') return true
      onChunk(each)
      return false
    })
    if (answer.kind === 'ready' || answer.kind === 'removals') throw new TypeError('The pruner answered out of turn')
    return answer
  }

  /**
   * Of what is under way: `stop` ends it where it is, a plan with what it has seen so far; `pause` has it rest until
   * `resume` or `stop`.
   */
  tell(kind: 'stop' | 'pause' | 'resume'): void {
    this.#child.tell({ kind })
  }

  /** Ends it at once, whatever it is at, and resolves when it is gone. Idempotent. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]()
  }
}
