import { once } from 'node:events'
import { createServer, request } from 'node:http'

/** What a proxy answers in the engine's place; null: the engine answers itself. */
export type Answering = (method: string, path: string) => { readonly status: number; readonly message: string } | null

/** A socket that leads to a container engine, except for what is answered in its place. */
export interface EngineProxy extends AsyncDisposable {
  readonly socketPath: string
  answering: Answering
}

/** Listens at `socketPath` and passes requests on to the engine at `target`. */
export async function engineProxy(socketPath: string, target: string): Promise<EngineProxy> {
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming
    const instead = proxy.answering(method, url)
    if (instead !== null) {
      incoming.resume()
      outgoing.writeHead(instead.status, { 'content-type': 'application/json' })
      outgoing.end(instead.status === 204 ? undefined : JSON.stringify({ message: instead.message }))
      return
    }
    const onward = request({ socketPath: target, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      // An event stream has to show its head before it has anything to say.
      outgoing.flushHeaders()
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  })
  const proxy: EngineProxy = {
    socketPath,
    answering: () => null,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  server.listen(socketPath)
  await once(server, 'listening')
  return proxy
}
