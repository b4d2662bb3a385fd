import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A socket that leads to another one until it is cut. */
export interface CuttableProxy {
  readonly socketPath: string
  /** Ends every connection and accepts none until `mend`. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

/** Listens at `socketPath` and leads to `target`. */
export async function cuttableProxy(socketPath: string, target: string): Promise<CuttableProxy> {
  const open = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return client.destroy()
    const engine = connect(target)
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(socketPath)
  await once(server, 'listening')
  const cutAll = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    socketPath,
    cut: () => {
      isCut = true
      cutAll()
    },
    mend: () => {
      isCut = false
    },
    close: async () => {
      cutAll()
      server.close()
      await once(server, 'close')
    },
  }
}
