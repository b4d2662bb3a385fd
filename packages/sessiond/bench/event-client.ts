import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { createParser } from 'eventsource-parser'
import type { HostEvent } from 'sessiond'
import { machineMs } from './clock.ts'

/** An event with the instant at which this client had it. */
export interface Arrival {
  readonly event: HostEvent
  readonly atMs: number
}

const WAIT_MS = 120_000

/** Follows a host's event stream over HTTP. */
export class EventClient {
  readonly #request: ClientRequest
  readonly #listeners = new Set<(arrival: Arrival) => void>()

  /** Resolves once the stream is open: nothing after that is missed. */
  static async connect(url: string, token: string): Promise<EventClient> {
    const call = request(`${url}/v1/events`, { headers: { authorization: `Bearer ${token}` } })
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      call.on('response', resolve)
      call.on('error', reject)
      call.end()
    })
    if (response.statusCode !== 200) throw new Error(`No event stream: ${response.statusCode}`)
    return new EventClient(call, response)
  }

  private constructor(call: ClientRequest, response: IncomingMessage) {
    this.#request = call
    const parser = createParser({ onEvent: ({ data }) => this.#tell(data) })
    response.setEncoding('utf8')
    response.on('data', (part: string) => parser.feed(part))
    // The host ends it when it stops; who waits for an event then runs into its time limit.
    response.on('error', () => {})
  }

  /** Calls `listener` with every event from now on, until the returned function is called. */
  listen(listener: (arrival: Arrival) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The next event that fits. */
  next(what: string, fits: (event: HostEvent) => boolean): Promise<Arrival> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop()
        reject(new Error(`No ${what} within ${WAIT_MS} ms`))
      }, WAIT_MS)
      const stop = this.listen((arrival) => {
        if (!fits(arrival.event)) return
        clearTimeout(timer)
        stop()
        resolve(arrival)
      })
    })
  }

  /** The next event of a type about a message. */
  nextOf(type: HostEvent['type'], messageId: string): Promise<Arrival> {
    return this.next(`${type} of ${messageId}`, (event) => event.type === type && event.messageId === messageId)
  }

  /** The reply to a message. */
  nextReply(messageId: string): Promise<Arrival> {
    return this.next(`reply to ${messageId}`, (event) => event.reply?.inReplyTo === messageId)
  }

  close(): void {
    this.#request.destroy()
  }

  #tell(data: string): void {
    const atMs = machineMs()
    const event = JSON.parse(data) as HostEvent
    for (const listener of [...this.#listeners]) listener({ event, atMs })
  }
}
