import { z } from '@hono/zod-openapi'
import { likelyKey } from '../likely-key.ts'

/** An object with these keys only; an unknown one is refused with the likely one named. */
export function strictObject<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? tellUnknown(String(issue.keys[0]), known) : undefined),
  })
}

function tellUnknown(unknown: string, known: readonly string[]): string {
  const likely = likelyKey(unknown, known)
  const hint = likely === undefined ? `known are ${known.join(', ') || 'none'}` : `did you mean ${likely}?`
  return `unknown key ${JSON.stringify(unknown.slice(0, 60))}; ${hint}`
}
