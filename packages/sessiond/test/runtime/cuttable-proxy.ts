import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A socket that leads to another one until it is cut. */
export interface CuttableProxy {
  readonly socketPath: string
  /** Ends every connection and accepts none until `mend`. */
  cut(): void
  /** Accepts connections still, but lets nothing through either way until `mend`. */
  stall(): void
  mend(): void
  close(): Promise<void>
}

/** Listens at `socketPath` and leads to `target`. */
export async function cuttableProxy(socketPath: string, target: string): Promise<CuttableProxy> {
  const open = new Map<Socket, Socket>()
  let state: 'open' | 'cut' | 'stalled' = 'open'
  const server = createServer((client) => {
    if (state === 'cut') return client.destroy()
    const engine = connect(target)
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      open.set(one, other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      if (state === 'open') one.pipe(other)
    }
  })
  server.listen(socketPath)
  await once(server, 'listening')
  const cutAll = () => {
    for (const socket of open.keys()) socket.destroy()
  }
  return {
    socketPath,
    cut: () => {
      state = 'cut'
      cutAll()
    },
    stall: () => {
      state = 'stalled'
      for (const [one, other] of open) one.unpipe(other).pause()
    },
    mend: () => {
      if (state === 'stalled') for (const [one, other] of open) one.pipe(other)
      state = 'open'
    },
    close: async () => {
      cutAll()
      server.close()
      await once(server, 'close')
    },
  }
}
