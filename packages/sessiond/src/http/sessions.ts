import { createRoute, z } from '@hono/zod-openapi'
import { sessionIdOf } from '../model/session.ts'
import type { Api, ApiContext } from './api-context.ts'
import { defined } from './defined.ts'
import { limitInput, nameInput, noBody, sessionIdInput, sessionParams } from './schemas/inputs.ts'
import { failures, json } from './schemas/responses.ts'
import { sessionDetailSchema, sessionSummarySchema } from './schemas/session.ts'
import { strictObject } from './schemas/strict-object.ts'

const listRoute = createRoute({
  method: 'get',
  path: '/v1/sessions',
  summary: 'List sessions by id',
  request: {
    query: strictObject({ group: nameInput.optional(), after: sessionIdInput.optional(), limit: limitInput }),
  },
  responses: {
    200: json('Sessions after `after`.', z.object({ sessions: z.array(sessionSummarySchema) })),
    ...failures,
  },
})

const showRoute = createRoute({
  method: 'get',
  path: '/v1/sessions/{group}/{session}',
  summary: 'Show a session with its newest messages, replies and live run',
  request: { params: sessionParams, query: strictObject({ limit: limitInput }) },
  responses: { 200: json('The session.', sessionDetailSchema), ...failures },
})

const stopRoute = createRoute({
  method: 'post',
  path: '/v1/sessions/{group}/{session}/stop',
  summary: 'Stop what the agent is doing; later messages wake a new run',
  request: { params: sessionParams, ...noBody },
  responses: {
    200: json('What was stopped.', z.object({ cancelled: z.int(), runStopped: z.boolean() })),
    ...failures,
  },
})

const closeRoute = createRoute({
  method: 'post',
  path: '/v1/sessions/{group}/{session}/close',
  summary: 'Close a session for good',
  request: { params: sessionParams, ...noBody },
  responses: {
    200: json('Closed now, or before.', z.object({ outcome: z.enum(['closed', 'already-closed']) })),
    ...failures,
  },
})

/** Routes that list, show, stop and close sessions. */
export function registerSessions(app: Api, { host }: ApiContext): void {
  app.openapi(listRoute, async (c) => c.json({ sessions: await host.listSessions(defined(c.req.valid('query'))) }, 200))
  app.openapi(showRoute, async (c) => {
    const { group, session } = c.req.valid('param')
    return c.json(await host.showSession(sessionIdOf(group, session), c.req.valid('query').limit), 200)
  })
  app.openapi(stopRoute, async (c) => {
    const { group, session } = c.req.valid('param')
    return c.json(await host.stopSession(sessionIdOf(group, session)), 200)
  })
  app.openapi(closeRoute, async (c) => {
    const { group, session } = c.req.valid('param')
    return c.json({ outcome: await host.closeSession(sessionIdOf(group, session)) }, 200)
  })
}
