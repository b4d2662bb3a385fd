import { RetryLater } from '../../retry-later.ts'
import type { ClaudeMessage } from './claude-sdk.ts'

/** Why the provider said not now, in the words of a model wait. */
export function heldOffBy({ error, error_status: status }: ClaudeMessage): 'retry' | 'rate-limit' | 'outage' {
  return troubleOf(error, status) ?? 'retry'
}

/** Remembers what the provider said of its limits, to tell at a failed turn's end what is to blame. */
export class ProviderTrouble {
  readonly #now: () => number
  #error: string | undefined
  #resetAtMs: number | null = null

  constructor(now: () => number) {
    this.#now = now
  }

  event(message: ClaudeMessage): void {
    const { type, rate_limit_info: limit } = message
    if (type === 'assistant' && typeof message.parent_tool_use_id !== 'string') this.#error = message.error
    if (type === 'rate_limit_event' && limit !== undefined) {
      const isRejected = limit.status === 'rejected' && typeof limit.resetsAt === 'number'
      // Told in seconds.
      this.#resetAtMs = isRejected ? (limit.resetsAt ?? 0) * 1000 : null
    }
  }

  /** The error a turn ends with: one that spends no try when the provider is to blame and will be well again. */
  errorOf(result: ClaudeMessage): Error {
    const said = result.result ?? result.errors?.join('; ')
    const text = said === undefined || said === '' ? `the turn ended with ${result.subtype ?? 'an error'}` : said
    const trouble = troubleOf(this.#error, result.api_error_status)
    // When to come back is the host's to decide where the provider does not say: it knows of all that asked.
    if (trouble === 'rate-limit') return new RetryLater(this.#reset(), text, { trouble })
    if (trouble === 'outage') return new RetryLater(null, text, { trouble })
    return new Error(text)
  }

  #reset(): Date | null {
    return this.#resetAtMs !== null && this.#resetAtMs > this.#now() ? new Date(this.#resetAtMs) : null
  }
}

const OUTAGES: readonly string[] = ['overloaded', 'server_error']

/** By the SDK's word for the error, and by the HTTP status, of which null is a connection that failed. */
function troubleOf(error: string | undefined, status: number | null | undefined): 'rate-limit' | 'outage' | undefined {
  if (error === 'rate_limit' || status === 429) return 'rate-limit'
  if (error !== undefined && OUTAGES.includes(error)) return 'outage'
  return typeof status === 'number' && status >= 500 ? 'outage' : undefined
}
