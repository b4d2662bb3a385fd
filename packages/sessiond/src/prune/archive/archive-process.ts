import { Child } from '../child.ts'
import type { ArchiveAnswer, ArchiveRequest } from './archive-messages.ts'

const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

/** `broken-off`: the child was not to go on, and is ended. */
export type FinalAnswer = Exclude<ArchiveAnswer, { kind: 'ready' | 'progress' }> | { readonly kind: 'broken-off' }

/**
 * The child that packs and removes directories: for the sessions of one call, and gone afterwards. What it leaves behind
 * when it is ended is gone on from.
 */
export class ArchiveProcess implements AsyncDisposable {
  readonly #child = new Child<ArchiveRequest, ArchiveAnswer>(PROGRAM, 'The process that archives sessions')

  private constructor() {}

  /** Resolves when the child can be asked. Throws PRUNE_FAILED. */
  static async start(): Promise<ArchiveProcess> {
    const starting = new ArchiveProcess()
    await starting.#child.started()
    return starting
  }

  /** False: it has died, or was ended. */
  get isAlive(): boolean {
    return this.#child.isAlive
  }

  /**
   * Has one request done. Between its pieces the child waits while `mayGoOn` is asked, once at a time. Throws PRUNE_FAILED
   * when the child dies, and what `mayGoOn` throws.
   */
  async ask(request: ArchiveRequest, mayGoOn: () => Promise<boolean>): Promise<FinalAnswer> {
    let answer = await this.#child.ask(request)
    while (answer.kind === 'progress') {
      let goesOn = false
      try {
        goesOn = await mayGoOn()
      } finally {
        if (!goesOn) this.#child.kill()
      }
      if (!goesOn) return { kind: 'broken-off' }
      answer = await this.#child.ask({ kind: 'go-on' })
    }
    if (answer.kind === 'ready') throw new TypeError('The archiver answered out of turn')
    return answer
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]()
  }
}
