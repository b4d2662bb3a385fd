import type { InboundMessage } from '../mailbox-client.ts'
import type { Interruption } from './decide-acks.ts'

/** The messages a run holds claimed, and what has come between it and their end. */
export class HeldBatch {
  readonly messages: readonly InboundMessage[]
  /** Resolves with null when nobody waits for the handler any more. */
  readonly abandoned: Promise<null>
  readonly #abort = new AbortController()
  readonly #cancelledIds = new Set<string>()
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
    if (this.#cancelledIds.size > 0) return { kind: 'cancelled', messageIds: this.#cancelledIds }
    return { kind: this.#isStopping ? 'stopping' : 'none' }
  }

  /** Notes what the host says of the held messages: one it gave up ends the work on all of them. */
  heed(seen: readonly InboundMessage[]): void {
    for (const { id, status, attempt } of seen) {
      const isGivenUp = status === 'failed' && this.messages.some((held) => held.id === id && held.attempt === attempt)
      if (isGivenUp) this.#cancelledIds.add(id)
    }
    if (this.#cancelledIds.size > 0) this.#abort.abort(new Error('the message was cancelled'))
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
