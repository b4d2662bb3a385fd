import { createRoute, z } from '@hono/zod-openapi'
import { SERIES_STATES } from '../model/series.ts'
import { sessionIdOf } from '../model/session.ts'
import { scheduleChanges } from '../operations/schedule-shape.ts'
import type { Api, ApiContext } from './api-context.ts'
import { defined } from './defined.ts'
import { idInput, limitInput, noBody, sessionIdInput, sessionParams, wholeNumber } from './schemas/inputs.ts'
import { failures, json } from './schemas/responses.ts'
import {
  ledgerCheckSchema,
  ledgerLineSchema,
  schedulePreviewSchema,
  seriesDetailSchema,
  seriesSchema,
} from './schemas/series.ts'
import { strictObject } from './schemas/strict-object.ts'

const params = z.object({ id: idInput.openapi({ description: "A series' id, or an occurrence's: `<series>.<n>`." }) })

const made = strictObject({
  ...scheduleChanges,
  text: z.string(),
  id: idInput.optional(),
  kind: z.enum(['chat', 'task', 'system']).optional(),
  platformId: z.string().max(1_000).optional(),
  channelType: z.string().max(1_000).optional(),
  threadId: z.string().max(1_000).optional(),
})

const body = <T extends z.ZodType>(schema: T) => ({
  body: { required: true, content: { 'application/json': { schema } } },
})

const scheduleRoute = createRoute({
  method: 'post',
  path: '/v1/sessions/{group}/{session}/series',
  summary: 'Schedule a task',
  request: { params: sessionParams, ...body(made) },
  responses: { 201: json('The series, durable and armed.', seriesDetailSchema), ...failures },
})

const previewRoute = createRoute({
  method: 'post',
  path: '/v1/sessions/{group}/{session}/series/preview',
  summary: 'Show what a schedule would come to; stores nothing',
  request: { params: sessionParams, ...body(made) },
  responses: { 200: json('Its next firings.', schedulePreviewSchema), ...failures },
})

const listRoute = createRoute({
  method: 'get',
  path: '/v1/series',
  summary: 'List series by id',
  request: {
    query: strictObject({
      session: sessionIdInput.optional(),
      state: z.enum(SERIES_STATES).optional(),
      after: idInput.optional(),
      limit: limitInput,
    }),
  },
  responses: { 200: json('Series after `after`.', z.object({ series: z.array(seriesSchema) })), ...failures },
})

const showRoute = createRoute({
  method: 'get',
  path: '/v1/series/{id}',
  summary: 'Show a series with its next firings',
  request: { params },
  responses: { 200: json('The series.', seriesDetailSchema), ...failures },
})

const updateRoute = createRoute({
  method: 'patch',
  path: '/v1/series/{id}',
  summary: 'Change a series from now on',
  request: { params, ...body(strictObject(scheduleChanges)) },
  responses: { 200: json('The series as it is now.', seriesDetailSchema), ...failures },
})

const pauseRoute = createRoute({
  method: 'post',
  path: '/v1/series/{id}/pause',
  summary: 'Pause a series',
  request: { params, ...noBody },
  responses: { 200: json('It is paused.', seriesDetailSchema), ...failures },
})

const resumeRoute = createRoute({
  method: 'post',
  path: '/v1/series/{id}/resume',
  summary: 'Resume a paused or parked series; what came due meanwhile is skipped',
  request: { params, ...noBody },
  responses: { 200: json('It goes on.', seriesDetailSchema), ...failures },
})

const runRoute = createRoute({
  method: 'post',
  path: '/v1/series/{id}/run',
  summary: 'Run a series now, beside its schedule',
  request: { params, ...noBody },
  responses: { 200: json('Its message.', z.object({ messageId: z.string() })), ...failures },
})

const cancelRoute = createRoute({
  method: 'delete',
  path: '/v1/series/{id}',
  summary: 'End a series, or cancel one occurrence',
  request: { params },
  responses: { 200: json('It is cancelled.', z.object({ outcome: z.literal('cancelled') })), ...failures },
})

const ledgerRoute = createRoute({
  method: 'get',
  path: '/v1/series/{id}/ledger',
  summary: 'What became of every due instant, newest first',
  request: { params, query: strictObject({ before: wholeNumber(1, 1e12).optional(), limit: limitInput }) },
  responses: { 200: json('Lines of the ledger.', z.object({ lines: z.array(ledgerLineSchema) })), ...failures },
})

const checkRoute = createRoute({
  method: 'get',
  path: '/v1/series/{id}/ledger/check',
  summary: 'Count the due instants anew and hold the ledger against them',
  request: { params },
  responses: { 200: json('The sums.', ledgerCheckSchema), ...failures },
})

const zoneRoute = createRoute({
  method: 'put',
  path: '/v1/sessions/{group}/{session}/time-zone',
  summary: 'Say where the user of a session is',
  request: { params: sessionParams, ...body(strictObject({ timeZone: z.string().max(100).nullable() })) },
  responses: { 200: json('It goes by it.', z.object({ timeZone: z.string().nullable() })), ...failures },
})

/** Routes about recurring work. */
export function registerSeries(app: Api, { host }: ApiContext): void {
  app.openapi(scheduleRoute, async (c) => {
    return c.json(await host.schedule(defined({ ...c.req.valid('json'), ...c.req.valid('param') })), 201)
  })
  app.openapi(previewRoute, async (c) => {
    return c.json(await host.previewSchedule(defined({ ...c.req.valid('json'), ...c.req.valid('param') })), 200)
  })
  app.openapi(listRoute, async (c) => {
    const { session: sessionId, state, ...page } = c.req.valid('query')
    const states = state === undefined ? undefined : [state]
    return c.json({ series: await host.listSeries(defined({ sessionId, states, ...page })) }, 200)
  })
  app.openapi(showRoute, async (c) => c.json(await host.showSeries(c.req.valid('param').id), 200))
  app.openapi(updateRoute, async (c) => {
    return c.json(await host.updateSeries(c.req.valid('param').id, defined(c.req.valid('json'))), 200)
  })
  app.openapi(pauseRoute, async (c) => c.json(await host.pauseSeries(c.req.valid('param').id), 200))
  app.openapi(resumeRoute, async (c) => c.json(await host.resumeSeries(c.req.valid('param').id), 200))
  app.openapi(runRoute, async (c) => c.json(await host.runSeriesNow(c.req.valid('param').id), 200))
  app.openapi(cancelRoute, async (c) => {
    await host.cancelSeries(c.req.valid('param').id)
    return c.json({ outcome: 'cancelled' as const }, 200)
  })
  app.openapi(ledgerRoute, async (c) => {
    const { before: beforeOrdinal, limit } = c.req.valid('query')
    const lines = await host.listLedger(defined({ seriesId: c.req.valid('param').id, beforeOrdinal, limit }))
    return c.json({ lines }, 200)
  })
  app.openapi(checkRoute, async (c) => c.json(await host.checkLedger(c.req.valid('param').id), 200))
  app.openapi(zoneRoute, async (c) => {
    const { group, session } = c.req.valid('param')
    const { timeZone } = c.req.valid('json')
    await host.setTimeZone(sessionIdOf(group, session), timeZone)
    return c.json({ timeZone }, 200)
  })
}
