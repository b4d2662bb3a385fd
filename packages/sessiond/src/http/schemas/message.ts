import { z } from '@hono/zod-openapi'

const kind = z.enum(['chat', 'task', 'system'])
const ms = z.number()

export const addressSchema = z
  .object({
    platformId: z.string().nullable(),
    channelType: z.string().nullable(),
    threadId: z.string().nullable(),
  })
  .openapi('Address')

export const messageStatusSchema = z.enum(['pending', 'claimed', 'completed', 'failed'])

/** model/message.ts Message. */
export const messageSchema = z
  .object({
    id: z.string(),
    sessionId: z.string(),
    group: z.string(),
    kind,
    content: z.string().openapi({ description: 'JSON text, `{ "text": … }` for what people write.' }),
    processAfterMs: ms,
    trigger: z.boolean(),
    onWake: z.boolean(),
    address: addressSchema,
    sourceSessionId: z.string().nullable(),
    seq: z.int(),
    status: messageStatusSchema,
    createdAtMs: ms,
    tries: z.int(),
    attempt: z.int(),
    projectedEpoch: z.int().nullable(),
    claimEpoch: z.int().nullable(),
    claimedAtMs: ms.nullable(),
    cancelRequestedAtMs: ms.nullable(),
    endedAtMs: ms.nullable(),
    failure: z.enum(['TRIES_EXHAUSTED', 'CANCELLED', 'SESSION_CLOSED']).nullable(),
    error: z.string().nullable(),
    answered: z.boolean(),
    deadLetter: z.boolean(),
    isSuspect: z.boolean(),
    seriesId: z.string().nullable().describe('The task it is an occurrence of; null: of none.'),
    troubles: z
      .strictObject({ sinceMs: z.int(), answers: z.int(), alone: z.int() })
      .readonly()
      .nullable()
      .describe("What it has met of its provider's trouble; null: nothing."),
  })
  .openapi('Message')

/** model/message.ts SendReceipt. */
export const receiptSchema = z
  .object({
    messageId: z.string(),
    sessionId: z.string(),
    seq: z.int(),
    processAfterMs: ms,
    duplicate: z.boolean(),
  })
  .openapi('SendReceipt')

/** model/reply.ts Reply. */
export const replySchema = z
  .object({
    id: z.string(),
    sessionId: z.string(),
    group: z.string(),
    epoch: z.int().nullable(),
    seq: z.int().nullable(),
    inReplyTo: z.string().nullable(),
    kind,
    content: z.string(),
    createdAtMs: ms,
    deliverAfterMs: ms,
    address: addressSchema,
  })
  .openapi('Reply')

/** model/reply.ts Delivery. */
export const deliverySchema = z
  .object({
    id: z.int(),
    replyId: z.string(),
    sessionId: z.string(),
    sink: z.string(),
    status: z.enum(['pending', 'delivered', 'failed', 'dropped']),
    attempts: z.int(),
    nextAttemptAtMs: ms,
    lastError: z.string().nullable(),
    platformMessageId: z.string().nullable(),
    endedAtMs: ms.nullable(),
  })
  .openapi('Delivery')

/** store/store.ts DeadLetter. */
export const deadLetterSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('message'), message: messageSchema }),
    z.object({ kind: z.literal('delivery'), delivery: deliverySchema, reply: replySchema }),
  ])
  .openapi('DeadLetter')
