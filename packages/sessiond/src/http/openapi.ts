import { createRoute, z } from '@hono/zod-openapi'
import type { Api, ApiContext } from './api-context.ts'
import { failures, json } from './schemas/responses.ts'

/** The OpenAPI document as far as it is known beforehand. */
export type OpenApiDocument = ReturnType<Api['getOpenAPI31Document']>

const documentRoute = createRoute({
  method: 'get',
  path: '/v1/openapi.json',
  summary: 'This document',
  responses: { 200: json('OpenAPI 3.1.', z.record(z.string(), z.unknown())), ...failures },
})

/** Builds the OpenAPI 3.1 document of everything registered on `app`, from the schemas requests are checked with. */
export function openApiDocument(app: Api, { version, limits, config }: ApiContext): OpenApiDocument {
  return app.getOpenAPI31Document(
    {
      openapi: '3.1.0',
      info: {
        title: 'sessiond',
        version,
        description:
          `Times are UTC milliseconds since 1970, sizes bytes. A text has at most ${limits.textBytes} bytes, a body ` +
          `at most ${config.maxBodyBytes}. Unknown keys are refused.`,
      },
      security: [{ bearer: [] }],
    },
    { unionPreferredType: 'anyOf' },
  )
}

/** The route that serves the document. */
export function registerOpenApi(app: Api, context: ApiContext): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  let document: Record<string, unknown> | undefined
  app.openapi(documentRoute, (c) => {
    document ??= { ...openApiDocument(app, context) }
    return c.json(document, 200)
  })
}
