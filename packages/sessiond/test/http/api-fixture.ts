import type { Api, ApiContext } from '../../src/http/api-context.ts'
import { createApp } from '../../src/http/app.ts'
import { realWorld } from '../../src/world.ts'
import { FakeHost } from './fake-host.ts'

export const TOKEN = 'test-token-of-more-than-thirty-two-characters'

/** A line the API logged. */
export interface LogLine {
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** An app over a fake host, with what was logged. */
export interface ApiFixture {
  readonly app: Api
  readonly host: FakeHost
  readonly log: LogLine[]
  readonly context: ApiContext
  /** Asks as an authenticated client; a body that is not a string is sent as JSON. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>
}

/** Builds an app over a fresh fake host. */
export function apiFixture(
  config: Partial<ApiContext['config']> = {},
  world: ApiContext['world'] = realWorld,
): ApiFixture {
  const host = new FakeHost()
  const log: LogLine[] = []
  const context: ApiContext = {
    host,
    token: TOKEN,
    config: {
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: 64 * 1024,
      requestsPerSecond: 10_000,
      allowedHosts: [],
      ...config,
    },
    limits: { textBytes: 1024, diskFloorBytes: 0 },
    version: '9.9.9',
    world,
    log: { error: (fields, message) => log.push({ fields, message }) },
    isReady: () => true,
  }
  const app = createApp(context)
  return {
    app,
    host,
    log,
    context,
    ask: async (method, path, body, headers) =>
      app.request(path, {
        method,
        headers: {
          authorization: `Bearer ${TOKEN}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
  }
}

/** The error of a refused request. */
export async function errorOf(
  response: Response,
): Promise<{ status: number; code: string; message: string; cure: string; fields: Record<string, unknown> }> {
  const { error } = (await response.json()) as {
    error: { code: string; message: string; cure: string; fields: Record<string, unknown> }
  }
  return { status: response.status, ...error }
}
