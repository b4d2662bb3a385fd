import { SessiondError } from '../../model/errors.ts'

/** An error as dockerode throws it: with a status when the engine answered. */
interface EngineError {
  readonly statusCode?: number
  readonly code?: string
  readonly name?: string
  readonly message?: string
  readonly json?: { readonly message?: string }
}

/** Statuses of something in front of the engine that could not reach it. */
const NO_ANSWER = [502, 503, 504]

/** The HTTP status the engine answered with; undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as EngineError | null)?.statusCode
}

/** The engine's own words, bounded; "" when it did not answer. */
export function engineWords(error: unknown): string {
  const { statusCode, json, message } = error as EngineError
  if (statusCode === undefined) return ''
  return (json?.message ?? message ?? '').trim().slice(0, 1000)
}

/**
 * Translates what went wrong with a call: RUNTIME_UNREACHABLE when nobody answered in time, else RUNTIME_REFUSED
 * with the engine's words. Errors of ours pass through.
 */
export function engineError(error: unknown, toDo: string): SessiondError {
  if (error instanceof SessiondError) return error
  const status = statusOf(error)
  if (status === undefined || NO_ANSWER.includes(status)) {
    return new SessiondError(
      'RUNTIME_UNREACHABLE',
      `The container engine could not be asked to ${toDo}: ${why(error)}.`,
      { cause: error, fields: { runtime: 'docker' } },
    )
  }
  return refused(toDo, engineWords(error))
}

/** A refusal in the engine's own words. */
export function refused(toDo: string, words: string): SessiondError {
  return new SessiondError('RUNTIME_REFUSED', `The container engine refused to ${toDo}: ${words}.`)
}

function why(error: unknown): string {
  const { code, name, message } = error as EngineError
  if (name === 'AbortError' || name === 'TimeoutError') return 'it did not answer in time'
  return code === undefined ? (message ?? 'no answer') : `${code}`
}
