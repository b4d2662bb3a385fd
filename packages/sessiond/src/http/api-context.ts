import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { HostApi } from '../api.ts'
import type { HostConfig } from '../config/config.ts'
import type { World } from '../world.ts'

/** Where details of unexpected failures go; a pino logger fits. Never gets tokens or bodies. */
export interface ErrorLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Everything the API stands on. */
export interface ApiContext {
  readonly host: HostApi
  /** The bearer token clients must present. */
  readonly token: string
  readonly config: HostConfig['api']
  readonly limits: HostConfig['limits']
  readonly version: string
  readonly world: World
  readonly log: ErrorLog
  /** False while the host still takes stock after its start: nothing is answered before. */
  readonly isReady: () => boolean
}

/** What startServer hands in with each request; all absent when the app is called in-process. */
export interface ApiBindings {
  readonly incoming?: IncomingMessage
  readonly outgoing?: ServerResponse
  /** Aborts when the server is about to close: event streams end then. */
  readonly closing?: AbortSignal
}

export interface ApiEnv {
  Bindings: ApiBindings
  Variables: { isAuthenticated: boolean }
}

export type Api = OpenAPIHono<ApiEnv>

/** The bindings of a request; none when it did not come through startServer. */
export function bindingsOf(c: Context<ApiEnv>): ApiBindings {
  // Hono types `env` as always there, but leaves it undefined for a request made in-process.
  const bindings: ApiBindings | undefined = c.env
  return bindings ?? {}
}
