import { createRoute, z } from '@hono/zod-openapi'
import type { Api, ApiContext } from './api-context.ts'
import { defined } from './defined.ts'
import { idInput, nameInput, wholeNumber } from './schemas/inputs.ts'
import { plannedRemovalsSchema, pruningPlanSchema, pruningSchema } from './schemas/prune.ts'
import { failures, json } from './schemas/responses.ts'
import { strictObject } from './schemas/strict-object.ts'

const MAX_CLASSES = 100
const MAX_CLASS_CHARS = 100
const MAX_PAGE = 10_000

const params = z.object({ id: idInput.openapi({ description: "A plan's id." }) })

const planRoute = createRoute({
  method: 'post',
  path: '/v1/prune/plans',
  summary: 'Plan a pruning: what would go, why, by class and by session; changes nothing',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: strictObject({
            classes: z.array(z.string().min(1).max(MAX_CLASS_CHARS)).min(1).max(MAX_CLASSES).optional(),
            group: nameInput.optional(),
          }),
        },
      },
    },
  },
  responses: { 201: json('The plan; kept for 15 minutes.', pruningPlanSchema), ...failures },
})

const removalsRoute = createRoute({
  method: 'get',
  path: '/v1/prune/plans/{id}/removals',
  summary: 'Removals of a plan one by one; `next` is the `after` of the next page',
  request: {
    params,
    query: strictObject({
      after: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
      limit: wholeNumber(1, MAX_PAGE).optional(),
    }),
  },
  responses: { 200: json('What goes, and why.', plannedRemovalsSchema), ...failures },
})

const applyRoute = createRoute({
  method: 'post',
  path: '/v1/prune/plans/{id}/apply',
  summary: 'Carry out exactly this plan, once; `trash`: put aside what goes',
  request: {
    params,
    body: { required: true, content: { 'application/json': { schema: strictObject({ trash: z.boolean() }) } } },
  },
  responses: { 202: json('It has begun.', pruningSchema), ...failures },
})

const readRoute = createRoute({
  method: 'get',
  path: '/v1/prune/{id}',
  summary: "How a pruning gets on; its id is its plan's",
  request: { params },
  responses: { 200: json('So far, or in the end.', pruningSchema), ...failures },
})

/** Routes that plan a pruning, show the plan, carry it out and tell how that gets on. */
export function registerPrune(app: Api, { host }: ApiContext): void {
  app.openapi(planRoute, async (c) => c.json(await host.planPruning(defined(c.req.valid('json'))), 201))
  app.openapi(removalsRoute, async (c) => {
    const { id } = c.req.valid('param')
    return c.json(await host.listPlannedRemovals(defined({ planId: id, ...c.req.valid('query') })), 200)
  })
  app.openapi(applyRoute, async (c) => {
    const { id } = c.req.valid('param')
    return c.json(await host.startPruning({ planId: id, trash: c.req.valid('json').trash }), 202)
  })
  app.openapi(readRoute, async (c) => c.json(await host.readPruning(c.req.valid('param').id), 200))
}
