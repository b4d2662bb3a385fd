import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, RequestError } from '@hono/node-server'
import { SessiondError } from '../model/errors.ts'
import type { Api } from './api-context.ts'
import { errorBodyOf } from './error-body.ts'
import { statusOf } from './error-status.ts'

export interface ServerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Bounds on a client that talks slowly, or not at all. */
  readonly headersTimeoutMs?: number
  readonly requestTimeoutMs?: number
  /** How long requests under way may finish once `close` was called. */
  readonly closeGraceMs?: number
}

/** A listening API. */
export interface ApiServer {
  /** Where it listens, with the port it got. */
  readonly url: string
  /** Stops listening, ends event streams at once and everything else within the grace. Idempotent. */
  close(): Promise<void>
}

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const CLOSE_GRACE_MS = 2000
/** A connection on which nothing moves: well above the event stream's keep-alive. */
const SILENT_SOCKET_MS = 120_000
const MAX_CONNECTIONS = 1024
const MAX_HEADER_BYTES = 16 * 1024

/** Serves the app. Throws CONFIG_INVALID, naming the address, when it cannot listen there. */
export async function startServer(app: Api, options: ServerOptions): Promise<ApiServer> {
  const closing = new AbortController()
  const server = createHttpServer(app, options, closing.signal)
  await listen(server, options)
  let closed: Promise<void> | undefined
  return {
    url: urlOf(server),
    close: () => {
      closed ??= closeServer(server, closing, options.closeGraceMs ?? CLOSE_GRACE_MS)
      return closed
    },
  }
}

function createHttpServer(app: Api, options: ServerOptions, closing: AbortSignal): Server {
  const headersTimeout = options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS
  const requestTimeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS
  const listener = getRequestListener((request, bindings) => app.fetch(request, { ...bindings, closing }), {
    // A library must not exchange the globals of the program it is used in.
    overrideGlobalObjects: false,
    errorHandler: answerUnreadable,
  })
  const server = createServer(
    {
      headersTimeout,
      requestTimeout,
      connectionsCheckingInterval: Math.min(headersTimeout, requestTimeout, 5000),
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: 5000,
    },
    (incoming, outgoing) => {
      // A client keeps its connection for the next request; once we close there is none.
      outgoing.once('close', () => {
        if (closing.aborted) setImmediate(() => server.closeIdleConnections())
      })
      void listener(incoming, outgoing)
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  server.setTimeout(SILENT_SOCKET_MS)
  return server
}

/** Answers what never became a request (an impossible Host header or target), in the words of all other refusals. */
function answerUnreadable(error: unknown): Response {
  const failure =
    error instanceof RequestError
      ? new SessiondError('BAD_REQUEST', 'The Host header or the target of the request is not valid.')
      : new SessiondError('INTERNAL', 'Something failed inside sessiond.')
  return Response.json(errorBodyOf(failure), { status: statusOf(failure.code) })
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const what = `The API cannot listen on ${host}:${port} (${cause.code ?? 'unknown'}).`
      const cure = 'Choose another api.host or api.port, or stop what listens there.'
      reject(new SessiondError('CONFIG_INVALID', what, { cause, cure, fields: { field: 'api.port', host, port } }))
    })
    server.listen({ host, port }, resolve)
  })
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  // Nobody can connect to a wildcard under its own name; it includes loopback.
  if (address === '0.0.0.0') return `http://127.0.0.1:${port}`
  if (address === '::') return `http://[::1]:${port}`
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

async function closeServer(server: Server, closing: AbortController, graceMs: number): Promise<void> {
  closing.abort()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  clearTimeout(timer)
}
