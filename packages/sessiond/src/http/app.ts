import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { routePath } from 'hono/route'
import { SessiondError } from '../model/errors.ts'
import type { Api, ApiContext, ApiEnv } from './api-context.ts'
import { badRequestOf } from './bad-request.ts'
import { registerBatch } from './batch.ts'
import { noteBearer, requireBearer } from './bearer.ts'
import { registerDead } from './dead.ts'
import { errorBodyOf } from './error-body.ts'
import { statusOf } from './error-status.ts'
import { registerEvents } from './events.ts'
import { failureOf } from './failure.ts'
import { registerHealth } from './health.ts'
import { checkHostHeader } from './host-header.ts'
import { registerMessages } from './messages.ts'
import { registerOpenApi } from './openapi.ts'
import { registerPrune } from './prune.ts'
import { limitRate } from './rate-limit.ts'
import { readBody } from './read-body.ts'
import { registerRuns } from './runs.ts'
import { registerSeries } from './series.ts'
import { registerSessions } from './sessions.ts'
import { registerSweep } from './sweep.ts'

const RESOURCES = [
  registerSessions,
  registerMessages,
  registerBatch,
  registerSeries,
  registerRuns,
  registerDead,
  registerEvents,
  registerSweep,
  registerPrune,
  registerHealth,
  registerOpenApi,
]

/** Builds the HTTP API over a host. Every route is behind the same checks; nothing is registered before them. */
export function createApp(context: ApiContext): Api {
  const app: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw badRequestOf(result.error, result.target)
    },
  })
  app.onError((error, c) => respond(c, failureOf(ours(error), context, `${c.req.method} ${routePath(c, -1)}`)))
  app.notFound((c) => respond(c, new SessiondError('NOT_FOUND', 'There is no such route.', { cure: ROUTE_CURE })))
  app.use(async (c, next) => {
    c.header('Cache-Control', 'no-store')
    c.header('X-Content-Type-Options', 'nosniff')
    await next()
  })
  app.use(checkHostHeader(context), noteBearer(context), limitRate(context), requireBearer, refuseUntilReady(context))
  app.use(readBody(context))
  for (const register of RESOURCES) register(app, context)
  return app
}

function refuseUntilReady({ isReady }: ApiContext): MiddlewareHandler<ApiEnv> {
  return async (_c, next) => {
    if (!isReady()) throw new SessiondError('HOST_STARTING', 'The host is starting.')
    await next()
  }
}

const ROUTE_CURE = 'GET /v1/openapi.json lists every route.'

/** What the framework throws by itself comes only from bodies it could not read. */
function ours(error: unknown): unknown {
  if (!(error instanceof HTTPException) || error.status >= 500) return error
  if (error.status === 415) return new SessiondError('MEDIA_TYPE_REFUSED', 'The body is not JSON by its Content-Type.')
  return new SessiondError('BAD_REQUEST', 'The body is not valid JSON.', { fields: { in: 'body', field: 'body' } })
}

/** A disk without room may have some after the next look of whatever cleans it. */
const DISK_RETRY_AFTER_MS = 60_000

function respond(c: Context<ApiEnv>, error: SessiondError): Response {
  const { retryAfterMs = error.code === 'DISK_FULL' ? DISK_RETRY_AFTER_MS : null } = error.fields
  if (typeof retryAfterMs === 'number') c.header('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))))
  if (error.code === 'UNAUTHORIZED') c.header('WWW-Authenticate', 'Bearer realm="sessiond"')
  // What is left of a refused body is not worth reading for the sake of the connection.
  if (error.code === 'BODY_TOO_LARGE') c.header('Connection', 'close')
  return c.json(errorBodyOf(error), statusOf(error.code))
}
