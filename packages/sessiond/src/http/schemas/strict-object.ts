import { z } from '@hono/zod-openapi'
import { suggest } from '../../config/suggest.ts'

const MAX_KEY_CHARS = 60

/** An object with these keys only; an unknown one is refused with the likely one named. */
export function strictObject<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? tellUnknown(String(issue.keys[0]), known) : undefined),
  })
}

function tellUnknown(key: string, known: readonly string[]): string {
  // Clipped first: comparing costs length times length, and the key is as long as the client likes.
  const unknown = key.slice(0, MAX_KEY_CHARS)
  const likely = suggest(unknown, known)
  const hint = likely === undefined ? `known are ${known.join(', ') || 'none'}` : `did you mean ${likely}?`
  return `unknown key ${JSON.stringify(unknown)}; ${hint}`
}
