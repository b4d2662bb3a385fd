import { ERROR_CATALOGUE, SessiondError } from '../model/errors.ts'
import { defined } from './defined.ts'

/** What every refusal of the API looks like. */
export interface ErrorBody {
  error: { code: string; message: string; cure: string; fields: Record<string, string | number | boolean | null> }
}

/** Tells a client of a SessiondError: what happened and the cure apart, so that nobody prints the cure twice. */
export function errorBodyOf(error: SessiondError): ErrorBody {
  const { code, cure, fields } = error
  const suffix = ` ${cure}`
  const message = error.message.endsWith(suffix) ? error.message.slice(0, -suffix.length) : error.message
  return { error: { code, message, cure, fields: defined({ ...fields }) } }
}

/** Makes any thrown thing a SessiondError: what is not ours becomes INTERNAL, with an id and none of its text. */
export function asSessiondError(error: unknown, newErrorId: () => string): SessiondError {
  if (error instanceof SessiondError) return error
  return new SessiondError('INTERNAL', 'Something failed inside sessiond.', {
    fields: { errorId: newErrorId() },
    cure: ERROR_CATALOGUE.INTERNAL.cure,
    cause: error,
  })
}
