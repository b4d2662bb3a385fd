import type { Check } from './runtime.ts'

/** Makes one line of the doctor's out of a look that throws when something is wrong. */
export async function checkOne(name: string, cure: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await look() }
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error), cure }
  }
}
