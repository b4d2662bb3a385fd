import { createRoute, z } from '@hono/zod-openapi'
import type { SendRequest } from '../api.ts'
import { SessiondError } from '../model/errors.ts'
import type { SendReceipt } from '../model/message.ts'
import type { Api, ApiContext } from './api-context.ts'
import { badRequestOf } from './bad-request.ts'
import { defined } from './defined.ts'
import type { ErrorBody } from './error-body.ts'
import { errorBodyOf } from './error-body.ts'
import { failureOf } from './failure.ts'
import { receiptSchema } from './schemas/message.ts'
import { errorSchema, failures, json } from './schemas/responses.ts'
import { batchBody, batchItem } from './schemas/send.ts'

const batchRoute = createRoute({
  method: 'post',
  path: '/v1/messages',
  summary: 'Send up to 1,000 messages; one outcome each, in order, and a bad one harms no other',
  request: { body: { required: true, content: { 'application/json': { schema: batchBody } } } },
  responses: {
    200: json(
      'One outcome per message.',
      z.object({ outcomes: z.array(z.union([z.object({ receipt: receiptSchema }), errorSchema])) }),
    ),
    ...failures,
  },
})

type Item = z.output<typeof batchBody>['messages'][number]

/** The route that sends many messages at once, in one commit. */
export function registerBatch(app: Api, context: ApiContext): void {
  app.openAPIRegistry.register('BatchItem', batchItem)
  app.openapi(batchRoute, async (c) => {
    const checked = c.req.valid('json').messages.map(requestOf)
    const sent = await context.host.sendMany(
      checked.flatMap((request) => (request instanceof SessiondError ? [] : [request])),
    )
    const outcomes = inOrder(checked, sent).map((outcome): { receipt: SendReceipt } | ErrorBody =>
      outcome instanceof Error ? errorBodyOf(failureOf(outcome, context, 'POST /v1/messages')) : { receipt: outcome },
    )
    return c.json({ outcomes }, 200)
  })
}

function requestOf(item: Item): SendRequest | SessiondError {
  return item.success ? defined(item.data) : badRequestOf(item.error, 'message')
}

/** Puts what became of the sound requests back among the ones refused before. */
function inOrder(
  checked: readonly (SendRequest | SessiondError)[],
  sent: readonly (SendReceipt | Error)[],
): (SendReceipt | Error)[] {
  const answers = sent.values()
  return checked.map((request) => {
    if (request instanceof SessiondError) return request
    const next = answers.next()
    return next.done ? new Error('sendMany returned fewer outcomes than it was given requests') : next.value
  })
}
