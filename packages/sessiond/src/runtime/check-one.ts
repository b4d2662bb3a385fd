import { SessiondError } from '../model/errors.ts'
import type { Check } from './runtime.ts'

/** Makes one line of the doctor's out of a look that throws when something is wrong. */
export async function checkOne(name: string, cure: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await look() }
  } catch (error) {
    return failedCheck(name, error, cure)
  }
}

/** The doctor's line about a failure: an error of ours brings its code and its own cure. */
export function failedCheck(name: string, error: unknown, cure?: string): Check {
  if (error instanceof SessiondError) {
    const { code, message, cure: itsCure } = error
    const detail = message.endsWith(itsCure) ? message.slice(0, -itsCure.length).trim() : message
    return { name, ok: false, detail, code, cure: itsCure }
  }
  const detail = error instanceof Error ? error.message : String(error)
  return { name, ok: false, detail, ...(cure === undefined ? {} : { cure }) }
}
