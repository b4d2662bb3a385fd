import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { machineMs } from './clock.ts'

/** A webhook of this machine that confirms whatever comes. */
export interface Webhook extends AsyncDisposable {
  readonly url: string
  /** When the reply to a message came in. */
  next(messageId: string): Promise<number>
}

/** Listens on loopback until it is disposed of. */
export async function startWebhook(): Promise<Webhook> {
  const waiting = new Map<string, (atMs: number) => void>()
  const server = createServer((request, response) => {
    const atMs = machineMs()
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (part: string) => {
      text += part
    })
    request.on('end', () => {
      response.writeHead(204).end()
      const { inReplyTo } = JSON.parse(text) as { inReplyTo: string | null }
      waiting.get(inReplyTo ?? '')?.(atMs)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    next: (messageId) => new Promise((resolve) => waiting.set(messageId, resolve)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
