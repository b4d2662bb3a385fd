import type { SessiondError } from '../model/errors.ts'
import { isBelowFloor } from '../operations/below-floor.ts'
import type { ApiContext } from './api-context.ts'
import { asSessiondError } from './error-body.ts'
import { statusOf } from './error-status.ts'

/**
 * Makes a thrown thing fit to be told to a client, and logs it when it is ours to mend; a disk below its floor is told
 * by an event, once. `where` is the route, not the URL: what a client put into a URL or a body never reaches the log.
 */
export function failureOf(error: unknown, { world, log }: ApiContext, where: string): SessiondError {
  const failure = asSessiondError(error, () => world.newId('err-'))
  if (statusOf(failure.code) >= 500 && !isBelowFloor(failure)) {
    log.error({ code: failure.code, fields: failure.fields, where, err: failure.cause ?? failure }, 'request failed')
  }
  return failure
}
