import { createRoute, z } from '@hono/zod-openapi'
import type { Api, ApiContext } from './api-context.ts'
import { defined } from './defined.ts'
import { idInput, limitInput, noBody, sessionIdInput } from './schemas/inputs.ts'
import { deadLetterSchema } from './schemas/message.ts'
import { failures, json } from './schemas/responses.ts'
import { strictObject } from './schemas/strict-object.ts'

const params = z.object({ id: idInput.openapi({ description: "A message's id, or `delivery:<n>`." }) })

const listRoute = createRoute({
  method: 'get',
  path: '/v1/dead',
  summary: 'List dead letters: failed messages, and replies a sink refused for good',
  request: { query: strictObject({ session: sessionIdInput.optional(), limit: limitInput }) },
  responses: { 200: json('Dead letters.', z.object({ dead: z.array(deadLetterSchema) })), ...failures },
})

const showRoute = createRoute({
  method: 'get',
  path: '/v1/dead/{id}',
  summary: 'Show a dead letter',
  request: { params },
  responses: { 200: json('The dead letter.', deadLetterSchema), ...failures },
})

const replayRoute = createRoute({
  method: 'post',
  path: '/v1/dead/{id}/replay',
  summary: 'Try a dead letter again, with no tries spent',
  request: { params, ...noBody },
  responses: { 200: json('It waits again.', z.object({ outcome: z.literal('replayed') })), ...failures },
})

const dropRoute = createRoute({
  method: 'delete',
  path: '/v1/dead/{id}',
  summary: 'Drop a dead letter for good',
  request: { params },
  responses: { 200: json('It is dropped.', z.object({ outcome: z.literal('dropped') })), ...failures },
})

/** Routes that list, show, replay and drop dead letters. */
export function registerDead(app: Api, { host }: ApiContext): void {
  app.openapi(listRoute, async (c) => {
    const { session, limit } = c.req.valid('query')
    return c.json({ dead: await host.listDead(defined({ sessionId: session, limit })) }, 200)
  })
  app.openapi(showRoute, async (c) => c.json(await host.showDead(c.req.valid('param').id), 200))
  app.openapi(replayRoute, async (c) => {
    await host.replayDead(c.req.valid('param').id)
    return c.json({ outcome: 'replayed' as const }, 200)
  })
  app.openapi(dropRoute, async (c) => {
    await host.dropDead(c.req.valid('param').id)
    return c.json({ outcome: 'dropped' as const }, 200)
  })
}
