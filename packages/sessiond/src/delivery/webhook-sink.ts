import type { WebhookConfig } from '../config/config.ts'
import type { Reply } from '../model/reply.ts'
import { signWebhook } from './sign-webhook.ts'
import type { Attempt, Sink, SinkOutcome } from './sink.ts'
import { refusalOf } from './webhook-outcome.ts'
import { webhookPayload } from './webhook-payload.ts'

/** Longest answer read; a receiver that says more is believed only as far. */
const MAX_ANSWER_BYTES = 64 * 1024
const MAX_MESSAGE_ID_CHARS = 256

export interface WebhookSinkOptions {
  readonly config: Pick<WebhookConfig, 'name' | 'url' | 'secret' | 'timeoutMs'>
  /** Part of the delivery key, so that two installs that post to one receiver do not shadow each other. */
  readonly installId: string
  /** Wall clock, for the signature. */
  readonly now: () => number
  readonly fetch?: typeof globalThis.fetch
}

/** A sink that posts each reply as signed JSON. A 2xx status, and nothing else, confirms it. */
export class WebhookSink implements Sink {
  readonly name: string
  readonly #options: WebhookSinkOptions

  constructor(options: WebhookSinkOptions) {
    this.name = options.config.name
    this.#options = options
  }

  async deliver(reply: Reply, { attempt, quote, signal }: Attempt): Promise<SinkOutcome> {
    const { config, fetch = globalThis.fetch } = this.#options
    const bound = AbortSignal.any([signal, AbortSignal.timeout(config.timeoutMs)])
    const body = webhookPayload(reply, quote)
    let response: Response
    try {
      const headers = this.#headers(reply, attempt, body)
      // A redirect could lead a signed reply to somewhere nobody configured.
      response = await fetch(config.url, { method: 'POST', headers, body, signal: bound, redirect: 'manual' })
    } catch (error) {
      return { confirmed: false, permanent: false, error: tell(error, bound, config.timeoutMs) }
    }
    if (!response.ok) {
      await discard(response)
      return refusalOf(response.status, response.headers)
    }
    return { confirmed: true, platformMessageId: messageIdIn(await readAnswer(response)) }
  }

  #headers(reply: Reply, attempt: number, body: string): Record<string, string> {
    const { config, installId, now } = this.#options
    return {
      'Content-Type': 'application/json',
      'User-Agent': 'sessiond',
      'X-Sessiond-Delivery': [installId, config.name, reply.id].map(encodeURIComponent).join('/'),
      'X-Sessiond-Attempt': String(attempt),
      ...(config.secret === null ? {} : { 'X-Sessiond-Signature': signWebhook(config.secret, body, now()) }),
    }
  }
}

/** Names what went wrong by its code: messages of network errors may hold the URL, and with it a secret. */
function tell(error: unknown, bound: AbortSignal, timeoutMs: number): string {
  if (bound.aborted) return `no answer within ${timeoutMs} ms`
  const cause: unknown = error instanceof Error ? error.cause : undefined
  return `the request failed (${reasonOf(cause)})`
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'no reason given'
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  // Without a code, an error of fetch's own: of its messages this one is known to hold nothing of the request.
  return cause.message === 'bad port' ? 'fetch forbids this port' : cause.name
}

/** Reads as much of a confirming answer as is wanted; one that breaks off or drags on is a confirmation all the same. */
async function readAnswer(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > MAX_ANSWER_BYTES) return ''
      chunks.push(chunk)
    }
  } catch {
    return ''
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function discard(response: Response): Promise<void> {
  try {
    await response.body?.cancel()
  } catch {
    // The connection is gone, which is all that was wanted.
  }
}

function messageIdIn(answer: string): string | null {
  try {
    const parsed: unknown = JSON.parse(answer)
    if (typeof parsed !== 'object' || parsed === null || !('messageId' in parsed)) return null
    const { messageId } = parsed
    if (typeof messageId !== 'string' && typeof messageId !== 'number') return null
    return String(messageId).slice(0, MAX_MESSAGE_ID_CHARS)
  } catch {
    // Any 2xx confirms; a receiver need not speak JSON.
    return null
  }
}
