import { createParser } from 'eventsource-parser'
import { vi } from 'vitest'
import type { HostEvent } from '../../src/api.ts'

/** An event as a client got it. */
export interface Received {
  readonly id: string | undefined
  readonly event: string | undefined
  readonly data: HostEvent
}

/** Reads an event stream in the background. */
export class SseClient {
  readonly received: Received[] = []
  readonly comments: string[] = []
  /** Resolves when the server has ended the stream, or the connection broke. */
  readonly ended: Promise<void>
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>

  constructor(response: Response) {
    if (response.body === null) throw new Error(`no body, status ${response.status}`)
    this.#reader = response.body.getReader()
    this.ended = this.#read()
  }

  /** Resolves once this many events were received. */
  async until(count: number): Promise<readonly Received[]> {
    await vi.waitFor(
      () => {
        if (this.received.length < count) throw new Error(`${this.received.length} events of ${count}`)
      },
      { timeout: 15_000, interval: 2 },
    )
    return this.received
  }

  /** Goes away, as a client does. */
  async cancel(): Promise<void> {
    await this.#reader.cancel()
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    const parser = createParser({
      onEvent: ({ id, event, data }) => this.received.push({ id, event, data: JSON.parse(data) as HostEvent }),
      onComment: (comment) => this.comments.push(comment),
    })
    try {
      for (;;) {
        const { done, value } = await this.#reader.read()
        if (done) return
        parser.feed(decoder.decode(value, { stream: true }))
      }
    } catch {
      // A broken connection ends the stream as a closed one does; tests tell them apart by what they received.
    }
  }
}
