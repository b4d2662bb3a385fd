import { SessiondError } from '../../model/errors.ts'
import type { RunSpec } from '../runtime.ts'
import { engineWords, refused, statusOf } from './engine-errors.ts'

/** What the engine's refusal to create a run's container means; undefined when it says nothing of the run. */
export function createError(error: unknown, spec: RunSpec): SessiondError | undefined {
  const status = statusOf(error)
  const words = engineWords(error)
  if (status === 409 || /name .*already in use/i.test(words)) {
    return new SessiondError('RUN_NAME_TAKEN', `A container named ${spec.name} exists already.`, {
      fields: { run: spec.name },
    })
  }
  if (status === 404) {
    return imageMissing(spec.image, spec.group)
  }
  return status === undefined || status >= 502 ? undefined : refused('create a container', withoutValues(words, spec))
}

/** A group's image that the engine does not have. */
export function imageMissing(image: string | null, group: string): SessiondError {
  return new SessiondError('IMAGE_MISSING', `Image ${image} of group ${group} is not there.`, {
    fields: { image, group },
  })
}

/** What the engine's refusal to start a created run means; undefined when it says nothing of the run. */
export function startError(error: unknown): SessiondError | undefined {
  const words = engineWords(error)
  const program = /exec(?:utable file)?:? [`"]?([^"`:\s]+)[`"]?.*(?:not found|no such file)/i.exec(words)?.[1]
  if (program === undefined) return undefined
  return new SessiondError('COMMAND_NOT_FOUND', `The image has no program ${program}.`, { fields: { program } })
}

/** The engine may quote what it refuses; values of the environment must not get into logs. */
function withoutValues(words: string, spec: RunSpec): string {
  const values = [...Object.values(spec.environment), spec.agentJson ?? ''].filter((value) => value.length > 3)
  return values.reduce((text, value) => text.replaceAll(value, '…'), words)
}
