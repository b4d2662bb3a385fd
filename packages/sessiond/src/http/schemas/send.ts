import { z } from '@hono/zod-openapi'
import type { ErrorCode } from '../../model/errors.ts'
import { idInput, nameInput } from './inputs.ts'
import { strictObject } from './strict-object.ts'

const loneSurrogate = {
  error: 'holds half a character (a lone surrogate), which UTF-8 cannot carry',
  params: { code: 'TEXT_NOT_UTF8' satisfies ErrorCode },
}

const wellFormed = z.string().refine((text) => text.isWellFormed(), loneSurrogate)
const addressPart = wellFormed.max(1024).optional()

const message = {
  text: z.string().openapi({ description: 'What the agent gets; at most limits.textBytes of UTF-8.' }),
  id: idInput
    .optional()
    .openapi({ description: 'Makes the send idempotent: the same id gets the first receipt again.' }),
  kind: z.enum(['chat', 'task', 'system']).optional(),
  after: z
    .string()
    .max(64)
    .optional()
    .openapi({ description: 'When it becomes due: an instant with its zone, or a span such as `10m`.' }),
  context: z.boolean().optional().openapi({ description: 'True: wakes nobody, handed over with the next message.' }),
  platformId: addressPart,
  channelType: addressPart,
  threadId: addressPart,
}

/** One message to the session the path names. */
export const sendBody = strictObject(message).openapi('Send')

/** One message of a batch, which names its own session. */
export const batchItem = strictObject({ group: nameInput, session: nameInput.optional(), ...message })

/** Most messages one batch may hold. */
export const MAX_BATCH = 1000

/**
 * A batch. Its items are looked at one by one, after the batch as such was found sound, so that a bad one harms
 * no other; the document shows what each must be.
 */
export const batchBody = strictObject({
  messages: z
    .array(
      z
        .unknown()
        .transform((item) => batchItem.safeParse(item))
        .openapi({ allOf: [{ $ref: '#/components/schemas/BatchItem' }] }),
    )
    .min(1)
    .max(MAX_BATCH),
}).openapi('Batch')
