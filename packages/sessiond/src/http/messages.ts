import { createRoute, z } from '@hono/zod-openapi'
import { SessiondError } from '../model/errors.ts'
import { sessionIdOf } from '../model/session.ts'
import type { Api, ApiContext } from './api-context.ts'
import { defined } from './defined.ts'
import { idInput, limitInput, noBody, sessionParams, wholeNumber } from './schemas/inputs.ts'
import { messageSchema, messageStatusSchema, receiptSchema, replySchema } from './schemas/message.ts'
import { failures, json } from './schemas/responses.ts'
import { sendBody } from './schemas/send.ts'
import { strictObject } from './schemas/strict-object.ts'

const sendRoute = createRoute({
  method: 'post',
  path: '/v1/sessions/{group}/{session}/messages',
  summary: 'Send a message; answered once it is durable',
  request: {
    params: sessionParams,
    headers: z.object({ 'Idempotency-Key': idInput.optional().openapi({ description: 'The same as `id`.' }) }),
    body: { required: true, content: { 'application/json': { schema: sendBody } } },
  },
  responses: {
    200: json('Accepted before: the first receipt again.', receiptSchema),
    202: json('Accepted and durable.', receiptSchema),
    ...failures,
  },
})

const listRoute = createRoute({
  method: 'get',
  path: '/v1/sessions/{group}/{session}/messages',
  summary: 'List messages of a session, newest first',
  request: {
    params: sessionParams,
    query: strictObject({
      status: z
        .union([messageStatusSchema.transform((status) => [status]), z.array(messageStatusSchema)])
        .optional()
        .openapi({ type: 'array', items: { type: 'string', enum: messageStatusSchema.options } }),
      beforeSeq: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
      limit: limitInput,
    }),
  },
  responses: { 200: json('Messages.', z.object({ messages: z.array(messageSchema) })), ...failures },
})

const showRoute = createRoute({
  method: 'get',
  path: '/v1/messages/{id}',
  summary: 'Show a message with the newest replies to it',
  request: { params: z.object({ id: idInput }), query: strictObject({ limit: limitInput }) },
  responses: {
    200: json('The message.', z.object({ message: messageSchema, replies: z.array(replySchema) })),
    ...failures,
  },
})

const repliesRoute = createRoute({
  method: 'get',
  path: '/v1/messages/{id}/replies',
  summary: 'List the replies to a message, oldest first',
  request: {
    params: z.object({ id: idInput }),
    query: strictObject({
      after: z
        .string()
        .min(1)
        .max(512)
        .optional()
        .openapi({ description: 'Id of a reply: only those after it. A page that is empty is the end.' }),
      limit: limitInput,
    }),
  },
  responses: { 200: json('Replies.', z.object({ replies: z.array(replySchema) })), ...failures },
})

const cancelRoute = createRoute({
  method: 'post',
  path: '/v1/messages/{id}/cancel',
  summary: 'Cancel a message that has not ended',
  request: { params: z.object({ id: idInput }), ...noBody },
  responses: {
    200: json('It has ended.', z.object({ outcome: z.literal('cancelled') })),
    202: json('Its run is being told; it ends when the run has let go.', z.object({ outcome: z.literal('requested') })),
    ...failures,
  },
})

/** Routes that send, list, show and cancel messages. */
export function registerMessages(app: Api, { host }: ApiContext): void {
  app.openapi(sendRoute, async (c) => {
    const { id, ...body } = c.req.valid('json')
    const request = { ...c.req.valid('param'), ...body, id: chosenId(id, c.req.valid('header')['Idempotency-Key']) }
    const receipt = await host.send(defined(request))
    return receipt.duplicate ? c.json(receipt, 200) : c.json(receipt, 202)
  })
  app.openapi(listRoute, async (c) => {
    const { group, session } = c.req.valid('param')
    const { status, ...query } = c.req.valid('query')
    const messages = await host.listMessages(
      defined({ ...query, statuses: status, sessionId: sessionIdOf(group, session) }),
    )
    return c.json({ messages }, 200)
  })
  app.openapi(showRoute, async (c) => {
    const { limit } = c.req.valid('query')
    return c.json(await host.showMessage(c.req.valid('param').id, limit), 200)
  })
  app.openapi(repliesRoute, async (c) => {
    const query = { messageId: c.req.valid('param').id, ...c.req.valid('query') }
    return c.json({ replies: await host.listReplies(defined(query)) }, 200)
  })
  app.openapi(cancelRoute, async (c) => {
    const outcome = await host.cancelMessage(c.req.valid('param').id)
    return outcome === 'cancelled' ? c.json({ outcome }, 200) : c.json({ outcome }, 202)
  })
}

function chosenId(inBody: string | undefined, inHeader: string | undefined): string | undefined {
  if (inBody !== undefined && inHeader !== undefined && inBody !== inHeader) {
    throw new SessiondError('BAD_REQUEST', 'The field id of the body and the header Idempotency-Key differ.', {
      fields: { in: 'body', field: 'id' },
    })
  }
  return inBody ?? inHeader
}
