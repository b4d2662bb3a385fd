import type { InboundMessage } from '../mailbox-client.ts'
import type { Interruption } from './decide-acks.ts'

/** The messages a run holds claimed, and what has come between it and their end. */
export class HeldBatch {
  readonly messages: readonly InboundMessage[]
  /** Resolves with null when nobody waits for the handler any more. */
  readonly abandoned: Promise<null>
  readonly #abort = new AbortController()
  readonly #cancelledIds = new Set<string>()
  #isWithdrawn = false
  #isStopping = false
  #isSuperseded = false
  #abandon: () => void = () => {}

  constructor(messages: readonly InboundMessage[]) {
    this.messages = messages
    this.abandoned = new Promise((resolve) => {
      this.#abandon = () => resolve(null)
    })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get isSuperseded(): boolean {
    return this.#isSuperseded
  }

  /** Cancellation outlasts a stop: the host wants to hear that the work has ended. */
  get interruption(): Interruption {
    if (this.#cancelledIds.size > 0 || this.#isWithdrawn) return { kind: 'cancelled', messageIds: this.#cancelledIds }
    return { kind: this.#isStopping ? 'stopping' : 'none' }
  }

  /**
   * Notes what the host says of the held messages: one it gave up ends the work on all of them. So does one that is
   * no longer there, or there under another attempt: it was withdrawn while we were claiming it.
   */
  heed(seen: readonly InboundMessage[]): void {
    const statusOf = new Map(seen.map(({ id, attempt, status }) => [`${attempt} ${id}`, status]))
    for (const { id, attempt } of this.messages) {
      const status = statusOf.get(`${attempt} ${id}`)
      if (status === 'failed') this.#cancelledIds.add(id)
      if (status === undefined) this.#isWithdrawn = true
    }
    if (this.interruption.kind === 'cancelled') this.#abort.abort(new Error('the message was cancelled'))
  }

  stop(): void {
    this.#isStopping = true
    this.#abort.abort(new Error('the run has to stop'))
  }

  supersede(): void {
    this.#isSuperseded = true
    this.#abort.abort(new Error('a newer run owns the session'))
  }

  /** Waits no longer for a handler that does not let go. */
  abandon(): void {
    this.#abandon()
  }
}
