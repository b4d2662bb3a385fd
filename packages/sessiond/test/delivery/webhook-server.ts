import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request as the receiver got it. */
export interface Received {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A real receiver on loopback that answers as the test says, and keeps what it got. */
export class WebhookServer {
  readonly received: Received[] = []
  /** Answers the n-th request, counted from 0. */
  answer: (response: ServerResponse, nth: number, request: Received) => void = (response) => void response.end()
  url = ''
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => void this.#receive(request, response))
  }

  static async listen(): Promise<WebhookServer> {
    const receiver = new WebhookServer()
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve))
    receiver.url = `http://127.0.0.1:${(receiver.#server.address() as AddressInfo).port}/hook`
    return receiver
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url: path, headers } = request
    const received = { method, path, headers, body: await text(request) }
    this.received.push(received)
    this.answer(response, this.received.length - 1, received)
  }
}
