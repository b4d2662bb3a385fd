import { createRoute, z } from '@hono/zod-openapi'
import type { Api, ApiContext } from './api-context.ts'
import { sweepReportSchema } from './schemas/host.ts'
import { failures, json } from './schemas/responses.ts'
import { strictObject } from './schemas/strict-object.ts'

const sweepRoute = createRoute({
  method: 'post',
  path: '/v1/sweep',
  summary: 'Sweep once and tell each decision with its evidence; a dry run changes nothing',
  request: {
    body: { required: true, content: { 'application/json': { schema: strictObject({ dryRun: z.boolean() }) } } },
  },
  responses: { 200: json('What was decided.', sweepReportSchema), ...failures },
})

/** The route that sweeps once. */
export function registerSweep(app: Api, { host }: ApiContext): void {
  app.openapi(sweepRoute, async (c) => c.json(await host.sweepOnce(c.req.valid('json')), 200))
}
