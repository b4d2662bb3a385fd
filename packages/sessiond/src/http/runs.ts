import { createRoute, z } from '@hono/zod-openapi'
import type { WhyQuery } from '../api.ts'
import { SessiondError } from '../model/errors.ts'
import { sessionIdOf } from '../model/session.ts'
import type { Api, ApiContext } from './api-context.ts'
import { idInput, limitInput, sessionIdInput, sessionParams, wholeNumber } from './schemas/inputs.ts'
import { failures, json } from './schemas/responses.ts'
import { explanationSchema, runSchema } from './schemas/run.ts'
import { strictObject } from './schemas/strict-object.ts'

const MAX_LOG_BYTES = 4 * 1024 * 1024

const epochInput = z
  .union([z.literal('latest').transform(() => undefined), wholeNumber(1, Number.MAX_SAFE_INTEGER)])
  .openapi({ type: 'string', pattern: '^(latest|[0-9]+)$' })

const listRoute = createRoute({
  method: 'get',
  path: '/v1/sessions/{group}/{session}/runs',
  summary: 'List runs of a session, newest first',
  request: { params: sessionParams, query: strictObject({ limit: limitInput }) },
  responses: { 200: json('Runs.', z.object({ runs: z.array(runSchema) })), ...failures },
})

const logRoute = createRoute({
  method: 'get',
  path: '/v1/sessions/{group}/{session}/runs/{epoch}/log',
  summary: "Tail of a run's output; epoch `latest` is the newest run",
  request: {
    params: z.object({ ...sessionParams.shape, epoch: epochInput }),
    query: strictObject({ maxBytes: wholeNumber(1, MAX_LOG_BYTES).optional() }),
  },
  responses: { 200: json('The tail.', z.object({ epoch: z.int(), text: z.string() })), ...failures },
})

const whyRoute = createRoute({
  method: 'get',
  path: '/v1/why',
  summary: 'Say why: of a message, a run, or the newest run of a session',
  request: {
    query: strictObject({
      message: idInput.optional(),
      session: sessionIdInput.optional(),
      run: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().openapi({ description: 'With `session`: that run.' }),
    }),
  },
  responses: { 200: json('What happened, why, and what comes next.', explanationSchema), ...failures },
})

/** Routes that show a session's runs, what they printed, and why they ended. */
export function registerRuns(app: Api, { host }: ApiContext): void {
  app.openapi(listRoute, async (c) => {
    const { group, session } = c.req.valid('param')
    return c.json({ runs: await host.listRuns(sessionIdOf(group, session), c.req.valid('query').limit) }, 200)
  })
  app.openapi(whyRoute, async (c) => c.json(await host.why(whyQueryOf(c.req.valid('query'))), 200))
  app.openapi(logRoute, async (c) => {
    const { group, session, epoch } = c.req.valid('param')
    const log = await host.readRunLog(sessionIdOf(group, session), epoch, c.req.valid('query').maxBytes)
    return c.json(log, 200)
  })
}

interface WhyParameters {
  readonly message?: string | undefined
  readonly session?: string | undefined
  readonly run?: number | undefined
}

function whyQueryOf({ message, session, run }: WhyParameters): WhyQuery {
  if (message !== undefined && session === undefined && run === undefined) return { messageId: message }
  if (session !== undefined && message === undefined) {
    return run === undefined ? { sessionId: session } : { sessionId: session, epoch: run }
  }
  throw new SessiondError('BAD_REQUEST', 'Name either a message, or a session and perhaps its run.', {
    fields: { in: 'query', field: 'message' },
  })
}
