import { z } from '@hono/zod-openapi'

/** What every refusal looks like: error-body.ts ErrorBody. */
export const errorSchema = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      cure: z.string(),
      fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    }),
  })
  .openapi('Error')

/** One JSON response of a route. */
export function json<S extends z.ZodType>(description: string, schema: S) {
  return { description, content: { 'application/json': { schema } } }
}

/** Every refusal and failure looks the same, so it is documented once per route as the default response. */
export const failures = {
  '4XX': json('Refused: the code says why, the cure what to do.', errorSchema),
  '5XX': json('Failed: nothing was promised; `fields.errorId` leads to the log.', errorSchema),
} as const
