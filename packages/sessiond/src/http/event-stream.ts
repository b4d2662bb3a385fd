import type { HostEvent } from '../api.ts'
import type { World } from '../world.ts'

/** A quiet stream says something this often, so that proxies and both ends notice a dead connection. */
const KEEP_ALIVE_MS = 15_000
/** Bytes that may wait for a client that does not read; one event may go over. */
const MAX_WAITING_BYTES = 256 * 1024
/** A client that takes nothing for this long while that much waits is dropped; it resumes by Last-Event-ID. */
const STALLED_MS = 30_000
/** What a client waits before it reconnects. */
const RECONNECT_MS = 1000

const encoder = new TextEncoder()

export interface EventStreamOptions {
  readonly world: World
  /** Opens the source; it must end when the signal aborts. */
  readonly open: (signal: AbortSignal) => AsyncIterable<HostEvent>
  /** Ends the stream in an orderly way: the server is closing. */
  readonly closing: AbortSignal | undefined
  /** Cuts the connection of a client that does not read: what it left unread would keep it open. */
  readonly cut: () => void
  /** Called once when the stream is over, however it ended; with the error when its source broke. */
  readonly onEnd: (error?: unknown) => void
}

/** Writes one event the way EventSource reads it. */
export function formatEvent(event: HostEvent): string {
  // JSON holds no raw line break, so one data line carries it whatever a run put into a reply.
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/**
 * Turns events into a server-sent event stream: each is written the moment it comes. A slow client makes the
 * source wait, in bounded memory; one that stops reading is cut off.
 */
export function eventStream(options: EventStreamOptions): ReadableStream<Uint8Array> {
  const writer = new EventStreamWriter(options)
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => writer.start(controller),
      pull: () => writer.drained(),
      cancel: () => writer.end(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING_BYTES }),
  )
}

class EventStreamWriter {
  readonly #options: EventStreamOptions
  readonly #abort = new AbortController()
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #onDrained: (() => void) | undefined
  #cancelKeepAlive: () => void = () => {}
  #isOver = false

  constructor(options: EventStreamOptions) {
    this.#options = options
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller
    this.#options.closing?.addEventListener('abort', this.end, { once: true })
    this.#write(`retry: ${RECONNECT_MS}\n\n`)
    this.#keepAlive()
    this.#pump().then(() => this.end(), this.end)
    if (this.#options.closing?.aborted) this.end()
  }

  /** The client took what waited. */
  drained(): void {
    this.#onDrained?.()
  }

  /** Ends the stream, once; whoever comes first. */
  readonly end = (reason?: unknown): void => {
    if (this.#isOver) return
    this.#isOver = true
    this.#options.closing?.removeEventListener('abort', this.end)
    this.#cancelKeepAlive()
    this.#onDrained?.()
    this.#abort.abort()
    this.#options.onEnd(reason instanceof Error ? reason : undefined)
    try {
      this.#controller?.close()
    } catch {
      // The client went first, and with it the stream is closed already.
    }
  }

  async #pump(): Promise<void> {
    for await (const event of this.#options.open(this.#abort.signal)) {
      if (this.#isOver) return
      this.#write(formatEvent(event))
      if (this.#isFull()) await this.#waitUntilDrained()
    }
  }

  #write(text: string): void {
    this.#controller?.enqueue(encoder.encode(text))
  }

  #isFull(): boolean {
    return (this.#controller?.desiredSize ?? 0) <= 0
  }

  async #waitUntilDrained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancelTimer = this.#options.world.setTimer(STALLED_MS, () => {
      this.end()
      this.#options.cut()
    })
    this.#onDrained = resolve
    await promise
    this.#onDrained = undefined
    cancelTimer()
  }

  #keepAlive(): void {
    this.#cancelKeepAlive = this.#options.world.setTimer(KEEP_ALIVE_MS, () => {
      if (!this.#isFull()) this.#write(': keep-alive\n\n')
      this.#keepAlive()
    })
  }
}
