import { hasCode } from '../model/errors.ts'
import type { AgentRequest, RequestAnswer } from '../model/request.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world.ts'

export interface RequestDeskDeps {
  readonly world: World
  readonly store: Pick<Store, 'listOpenRequests' | 'recordAnswer'>
  /** Does what is asked; throws when it cannot be said yet what comes of it. */
  readonly answer: (request: AgentRequest) => Promise<RequestAnswer>
  /** The run of the session has an answer to read. */
  readonly onAnswered: (sessionId: string) => void
  readonly onError: (error: unknown) => void
}

/** Requests looked at in one go. */
const AT_ONCE = 50
/** How soon it tries again what the store would not take (a full disk). */
const AGAIN_MS = 5_000

/** Answers what agents ask, in order of arrival, one after the other; a request is durable before it comes here. */
export class RequestDesk {
  readonly #deps: RequestDeskDeps
  #work: Promise<void> | null = null
  #isAskedAgain = false
  #isOpen = false
  #cancelTimer: () => void = () => {}

  constructor(deps: RequestDeskDeps) {
    this.#deps = deps
  }

  /** Answers what an earlier host left open, too. */
  open(): void {
    this.#isOpen = true
    this.kick()
  }

  /** There may be a request; calls that come during a look are merged into one more. */
  kick(): void {
    if (!this.#isOpen) return
    this.#cancelTimer()
    if (this.#work !== null) this.#isAskedAgain = true
    else this.#work = this.#answerAll().finally(() => this.#workEnded())
  }

  /** Waits for the request under way; the others stay for the next host. */
  async close(): Promise<void> {
    this.#isOpen = false
    this.#cancelTimer()
    await this.#work
  }

  #workEnded(): void {
    this.#work = null
    if (!this.#isAskedAgain) return
    this.#isAskedAgain = false
    this.kick()
  }

  async #answerAll(): Promise<void> {
    const { world, store, onError } = this.#deps
    try {
      for (let open = await store.listOpenRequests(AT_ONCE); open.length > 0; ) {
        for (const request of open) {
          if (!this.#isOpen) return
          await this.#answerOne(request)
        }
        open = await store.listOpenRequests(AT_ONCE)
      }
    } catch (error) {
      onError(error)
      if (this.#isOpen) this.#cancelTimer = world.setTimer(AGAIN_MS, () => this.kick())
    }
  }

  async #answerOne(request: AgentRequest): Promise<void> {
    const { world, store, onAnswered } = this.#deps
    const answer = await this.#answerOf(request)
    await world.boundary('request:done')
    await store.recordAnswer(request.ordinal, answer, world.now())
    onAnswered(request.sessionId)
  }

  /** One request that meets a fault of ours must not keep all behind it waiting. */
  async #answerOf(request: AgentRequest): Promise<RequestAnswer> {
    try {
      return await this.#deps.answer(request)
    } catch (error) {
      if (hasCode(error, 'DISK_FULL', 'STORE_BUSY', 'STORE_BROKEN', 'HOST_STOPPING')) throw error
      this.#deps.onError(error)
      return { status: 'refused', text: 'The host could not do it, and does not know why; its log has more.' }
    }
  }
}
