import { z } from '@hono/zod-openapi'
import { isValidId, isValidName } from '@sessiond/protocol'
import type { ErrorCode } from '../../model/errors.ts'
import { strictObject } from './strict-object.ts'

const invalidName = { error: 'not a valid name', params: { code: 'SESSION_NAME_INVALID' satisfies ErrorCode } }
const invalidId = { error: 'not a valid id', params: { code: 'MESSAGE_ID_INVALID' satisfies ErrorCode } }

/** Name of a group or session: one safe path segment. */
export const nameInput = z.string().refine(isValidName, invalidName)

/** Id of a message. */
export const idInput = z.string().refine(isValidId, invalidId)

/** Id of a session, `<group>/<name>`. */
export const sessionIdInput = z.string().refine((text) => {
  const parts = text.split('/')
  return parts.length === 2 && parts.every(isValidName)
}, invalidName)

/** A whole number as it stands in a URL: digits only, within bounds. */
export function wholeNumber(minimum: number, maximum: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'not a whole number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `not within ${minimum} and ${maximum}`)
    .openapi({ type: 'integer', minimum, maximum })
}

/** How many rows a list returns at most. */
export const limitInput = wholeNumber(1, 1000).optional()

/** The two path parameters that name a session. */
export const sessionParams = z.object({ group: nameInput, session: nameInput })

/** The body of calls that need none: nothing, or an empty object. */
export const noBody = {
  body: { required: false, content: { 'application/json': { schema: strictObject({}) } } },
} as const
