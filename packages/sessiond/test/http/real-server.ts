import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { ApiServer, ServerOptions } from '../../src/http/server.ts'
import { startServer } from '../../src/http/server.ts'
import type { ApiFixture } from './api-fixture.ts'
import { apiFixture, TOKEN } from './api-fixture.ts'

/** An API on a real port of loopback. */
export interface RealServer extends ApiFixture {
  readonly server: ApiServer
  readonly port: number
  fetch(path: string, init?: RequestInit): Promise<Response>
}

/** Starts an API on any free port. */
export async function realServer(
  options: Partial<ServerOptions> = {},
  fixture: ApiFixture = apiFixture(),
): Promise<RealServer> {
  const server = await startServer(fixture.app, { host: '127.0.0.1', port: 0, ...options })
  return {
    ...fixture,
    server,
    port: Number(new URL(server.url).port),
    fetch: (path, init = {}) =>
      fetch(`${server.url}${path}`, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } }),
  }
}

/** A plain connection, for clients that do not play by the rules. */
export interface RawClient {
  readonly socket: Socket
  /** All that was received once the server ended the connection. */
  readonly ended: Promise<string>
}

/** Connects and writes; nothing more is done for the caller. */
export function rawClient(port: number, ...lines: string[]): RawClient {
  const socket = connect(port, '127.0.0.1')
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    received += chunk
  })
  // A reset is one way for a server to end a connection.
  socket.on('error', () => {})
  socket.on('close', () => resolve(received))
  socket.write(lines.join('\r\n'))
  return { socket, ended }
}
