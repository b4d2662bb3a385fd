import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { DeliveredReply } from './check-deliveries.ts'

/** One webhook receiver for all cases, which differ by path: confirms everything and keeps it in order. */
export class ReplyReceiver {
  readonly #server: Server
  readonly #byPath = new Map<string, DeliveredReply[]>()

  private constructor() {
    this.#server = createServer((request, response) => {
      void json(request).then((body) => {
        const path = request.url ?? ''
        this.#byPath.set(path, [...this.receivedAt(path), body as DeliveredReply])
        response.end()
      })
    })
  }

  static async listen(): Promise<ReplyReceiver> {
    const receiver = new ReplyReceiver()
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve))
    return receiver
  }

  urlOf(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`
  }

  receivedAt(path: string): readonly DeliveredReply[] {
    return this.#byPath.get(path) ?? []
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
