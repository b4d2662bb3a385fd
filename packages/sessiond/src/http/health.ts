import { createRoute, z } from '@hono/zod-openapi'
import type { Api, ApiContext } from './api-context.ts'
import { HEALTH_PATH } from './bearer.ts'
import { failureOf } from './failure.ts'
import { briefHealthSchema, healthSchema } from './schemas/host.ts'
import { failures, json } from './schemas/responses.ts'

const answer = z.union([healthSchema, briefHealthSchema])

const healthRoute = createRoute({
  method: 'get',
  path: HEALTH_PATH,
  summary: 'Whether all is well; without a token only that',
  security: [{}, { bearer: [] }],
  responses: { 200: json('All is well.', answer), 503: json('It is not.', answer), ...failures },
})

/** The health route: 503 when not ok, so that a probe needs no parsing; a health that cannot be read is not ok. */
export function registerHealth(app: Api, context: ApiContext): void {
  app.openapi(healthRoute, async (c) => {
    if (c.get('isAuthenticated')) {
      const health = await context.host.health()
      return health.ok ? c.json(health, 200) : c.json(health, 503)
    }
    const ok = await isOk(context)
    return ok ? c.json({ ok }, 200) : c.json({ ok }, 503)
  })
}

async function isOk(context: ApiContext): Promise<boolean> {
  try {
    return (await context.host.health()).ok
  } catch (error) {
    failureOf(error, context, `GET ${HEALTH_PATH}`)
    return false
  }
}
