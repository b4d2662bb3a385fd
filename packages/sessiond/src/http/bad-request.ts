import type { z } from '@hono/zod-openapi'
import type { ErrorCode } from '../model/errors.ts'
import { ERROR_CATALOGUE, SessiondError } from '../model/errors.ts'

const PLACES: Readonly<Record<string, string>> = { json: 'body', query: 'query', param: 'path', header: 'header' }

/**
 * Turns what a schema says of wrong input into our error, naming the first wrong field. A schema chooses another
 * code than BAD_REQUEST with `params: { code }`. The value itself is never repeated: it may be a message's text.
 */
export function badRequestOf(error: z.ZodError, target: string): SessiondError {
  const place = PLACES[target] ?? target
  const issue = error.issues[0]
  const path = (issue?.path ?? []).map(String).join('.').slice(0, 200)
  const field = path === '' ? place : path
  const code = codeOf(issue)
  const where = path === '' ? `The ${place}` : `The field ${path} of the ${place}`
  const what = `${where} is wrong: ${(issue?.message ?? 'not as expected').slice(0, 500)}.`
  return new SessiondError(code, what.replace(/\.\.$/, '.'), { fields: { in: place, field } })
}

function codeOf(issue: z.core.$ZodIssue | undefined): ErrorCode {
  if (issue?.code !== 'custom') return 'BAD_REQUEST'
  const code: unknown = issue.params?.code
  return typeof code === 'string' && code in ERROR_CATALOGUE ? (code as ErrorCode) : 'BAD_REQUEST'
}
