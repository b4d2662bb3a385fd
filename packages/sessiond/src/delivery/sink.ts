import type { Reply } from '../model/reply.ts'

/** What a sink says of one attempt. Anything but `confirmed: true` means: not delivered. */
export type SinkOutcome =
  | { readonly confirmed: true; readonly platformMessageId: string | null }
  | {
      readonly confirmed: false
      /** True: trying again cannot help. */
      readonly permanent: boolean
      /** What the other side asked us to wait. */
      readonly retryAfterMs?: number
      /** For people and the store; never message bodies or secrets. */
      readonly error: string
    }

/** One attempt to deliver a reply. */
export interface Attempt {
  /** 1 for the first. */
  readonly attempt: number
  /** The beginning of the message the reply answers, one line; null when it answers none, or one that says nothing. */
  readonly quote: string | null
  /** Aborts when the attempt took too long, or the host stops. */
  readonly signal: AbortSignal
}

/**
 * A way out for replies. A reply may be handed over again after an attempt nobody heard the end of, so what a sink
 * sends carries the reply's id as the key by which the other side tells a repetition.
 */
export interface Sink {
  readonly name: string
  /** Resolves with `confirmed: true` only when the other side said so. Throwing counts as a transient failure. */
  deliver(reply: Reply, attempt: Attempt): Promise<SinkOutcome>
}
