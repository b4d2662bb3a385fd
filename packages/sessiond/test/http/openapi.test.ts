import { describe, expect, it } from 'vitest'
import { apiFixture } from './api-fixture.ts'
import type { JsonSchema } from './json-schema.ts'
import { validate } from './json-schema.ts'

type Document = JsonSchema & {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: JsonSchema }> }> }>
  >
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete']

async function documentOf(fixture: ReturnType<typeof apiFixture>): Promise<Document> {
  return (await (await fixture.ask('GET', '/v1/openapi.json')).json()) as Document
}

function schemaOf(document: Document, method: string, path: string, status: number): JsonSchema {
  const responses = document.paths[path]?.[method.toLowerCase()]?.responses
  const response = responses?.[status] ?? responses?.[`${String(status)[0]}XX`]
  const schema = response?.content?.['application/json']?.schema
  if (schema === undefined) throw new Error(`the document has no ${status} for ${method} ${path}`)
  return schema
}

describe('the OpenAPI document', () => {
  it('names every route that is registered, and no other', async () => {
    const fixture = apiFixture()
    const document = await documentOf(fixture)
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => METHODS.includes(method))
        .map((method) => `${method.toUpperCase()} ${path}`),
    )
    // Hono lists one entry per middleware of a route; ALL are the checks before all routes.
    const registered = fixture.app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    expect(documented.sort()).toEqual([...new Set(registered)].sort())
    expect(documented).toHaveLength(37)
  })

  it('is OpenAPI 3.1 and asks for the bearer token', async () => {
    const document = await documentOf(apiFixture())
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { version: '9.9.9' },
      security: [{ bearer: [] }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    })
  })

  it('says of every path parameter that the path has, and of no other', async () => {
    const document = await documentOf(apiFixture())
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const { parameters = [] } = operation as { parameters?: { in: string; name: string }[] }
        const named = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`)
        expect(named.sort(), `${method} ${path}`).toEqual((path.match(/\{\w+\}/g) ?? []).sort())
      }
    }
  })

  const TASK = { text: 'hi', cron: '0 9 * * *', timeZone: 'Europe/Berlin', missedUntil: '11:00', maxRuns: null }
  const samples: [string, string, string, unknown, number][] = [
    ['POST', '/v1/sessions/{group}/{session}/messages', '/v1/sessions/ops/main/messages', { text: 'hi', id: 'a' }, 202],
    [
      'POST',
      '/v1/sessions/{group}/{session}/messages',
      '/v1/sessions/ops/main/messages',
      { text: 'hi', id: 'm1' },
      200,
    ],
    ['POST', '/v1/sessions/{group}/{session}/messages', '/v1/sessions/ops/main/messages', { txt: 'hi' }, 400],
    [
      'POST',
      '/v1/messages',
      '/v1/messages',
      { messages: [{ group: 'ops', text: 'a' }, { group: 'unknown', text: 'b' }, 5] },
      200,
    ],
    ['GET', '/v1/sessions', '/v1/sessions', undefined, 200],
    ['GET', '/v1/sessions/{group}/{session}', '/v1/sessions/ops/main', undefined, 200],
    ['GET', '/v1/sessions/{group}/{session}', '/v1/sessions/ops/other', undefined, 404],
    ['GET', '/v1/sessions/{group}/{session}/messages', '/v1/sessions/ops/main/messages', undefined, 200],
    ['POST', '/v1/sessions/{group}/{session}/stop', '/v1/sessions/ops/main/stop', undefined, 200],
    ['POST', '/v1/sessions/{group}/{session}/close', '/v1/sessions/ops/main/close', {}, 200],
    ['GET', '/v1/sessions/{group}/{session}/runs', '/v1/sessions/ops/main/runs', undefined, 200],
    ['GET', '/v1/sessions/{group}/{session}/runs/{epoch}/log', '/v1/sessions/ops/main/runs/latest/log', undefined, 200],
    ['GET', '/v1/why', '/v1/why?session=ops%2Fmain&run=7', undefined, 200],
    ['GET', '/v1/messages/{id}', '/v1/messages/m1', undefined, 200],
    ['GET', '/v1/messages/{id}/replies', '/v1/messages/m1/replies', undefined, 200],
    ['POST', '/v1/messages/{id}/cancel', '/v1/messages/m1/cancel', undefined, 200],
    ['POST', '/v1/messages/{id}/cancel', '/v1/messages/claimed/cancel', undefined, 202],
    ['GET', '/v1/dead', '/v1/dead', undefined, 200],
    ['GET', '/v1/dead/{id}', '/v1/dead/delivery:5', undefined, 200],
    ['POST', '/v1/dead/{id}/replay', '/v1/dead/m1/replay', undefined, 200],
    ['DELETE', '/v1/dead/{id}', '/v1/dead/delivery:5', undefined, 200],
    ['POST', '/v1/sessions/{group}/{session}/series', '/v1/sessions/ops/main/series', TASK, 201],
    ['POST', '/v1/sessions/{group}/{session}/series', '/v1/sessions/ops/main/series', { txt: 'hi' }, 400],
    ['POST', '/v1/sessions/{group}/{session}/series/preview', '/v1/sessions/ops/main/series/preview', TASK, 200],
    ['PUT', '/v1/sessions/{group}/{session}/time-zone', '/v1/sessions/ops/main/time-zone', { timeZone: 'UTC' }, 200],
    ['GET', '/v1/series', '/v1/series?session=ops%2Fmain&state=active', undefined, 200],
    ['GET', '/v1/series/{id}', '/v1/series/t-1', undefined, 200],
    ['GET', '/v1/series/{id}', '/v1/series/t-2', undefined, 404],
    ['PATCH', '/v1/series/{id}', '/v1/series/t-1', { cron: '0 8 * * *', timeZone: null }, 200],
    ['POST', '/v1/series/{id}/pause', '/v1/series/t-1/pause', undefined, 200],
    ['POST', '/v1/series/{id}/resume', '/v1/series/t-1/resume', undefined, 200],
    ['POST', '/v1/series/{id}/run', '/v1/series/t-1/run', undefined, 200],
    ['DELETE', '/v1/series/{id}', '/v1/series/t-1', undefined, 200],
    ['GET', '/v1/series/{id}/ledger', '/v1/series/t-1/ledger?before=9', undefined, 200],
    ['GET', '/v1/series/{id}/ledger/check', '/v1/series/t-1/ledger/check', undefined, 200],
    ['POST', '/v1/sweep', '/v1/sweep', { dryRun: true }, 200],
    ['POST', '/v1/prune/plans', '/v1/prune/plans', { classes: ['todos'], group: 'ops' }, 201],
    ['GET', '/v1/prune/plans/{id}/removals', '/v1/prune/plans/prune-1/removals?limit=10', undefined, 200],
    ['POST', '/v1/prune/plans/{id}/apply', '/v1/prune/plans/prune-1/apply', { trash: false }, 202],
    ['POST', '/v1/prune/plans/{id}/apply', '/v1/prune/plans/prune-2/apply', { trash: false }, 404],
    ['GET', '/v1/prune/{id}', '/v1/prune/prune-1', undefined, 200],
    ['GET', '/v1/health', '/v1/health', undefined, 200],
  ]
  it.each(samples)('%s %s answers what it documents (%s)', async (method, route, path, body, status) => {
    const fixture = apiFixture()
    await fixture.host.send({ group: 'ops', text: 'first', id: 'm1' })
    const document = await documentOf(fixture)
    const response = await fixture.ask(method, path, body)
    const answer: unknown = await response.json()
    expect(response.status, JSON.stringify(answer)).toBe(status)
    expect(validate(answer, schemaOf(document, method, route, status), document)).toEqual([])
  })

  it('has a sample above for every JSON route', async () => {
    const document = await documentOf(apiFixture())
    const sampled = samples.map(([method, route]) => `${method} ${route}`)
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const unsampled = routes.filter((route) => !sampled.includes(route))
    expect(unsampled).toEqual(expect.arrayContaining(['GET /v1/events', 'GET /v1/openapi.json']))
    expect(unsampled).toHaveLength(2)
  })

  it('is held to: the validator finds a missing, a wrong and an undocumented property', async () => {
    const document = await documentOf(apiFixture())
    const receipt = { messageId: 'm', sessionId: 's', seq: 'two', processAfterMs: 1, extra: 1 }
    const problems = validate(receipt, { $ref: '#/components/schemas/SendReceipt' }, document)
    expect(problems).toEqual(['$.duplicate: missing', '$.seq: "two" is not integer', '$.extra: not in the document'])
  })
})
