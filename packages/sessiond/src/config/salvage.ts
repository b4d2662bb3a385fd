import type { z } from 'zod'
import { pathText, valueAt } from './find-problems.ts'
import { hostSchema, type ParsedOptions } from './host-schema.ts'

type Path = readonly PropertyKey[]

/** Far more than any honest configuration has; each round removes at least one fault. */
const MAX_ROUNDS = 500

/**
 * Removes what is wrong by itself until the rest can be read, so that pairs can be checked in the same go.
 * `removed` names what was taken out; `sound` is undefined when nothing could be saved.
 */
export function salvage(
  options: unknown,
  firstIssues: readonly z.core.$ZodIssue[],
): { readonly sound: ParsedOptions | undefined; readonly removed: readonly string[] } {
  const removed: string[] = []
  let rest = options
  let issues = firstIssues
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const issue = issues[0]
    if (issue === undefined) break
    const gone = faultyPath(issue, rest)
    if (gone.length === 0) return { sound: undefined, removed }
    removed.push(pathText(gone))
    rest = without(rest, gone)
    const parsed = hostSchema.safeParse(rest)
    if (parsed.success) return { sound: parsed.data, removed }
    issues = parsed.error.issues
  }
  return { sound: undefined, removed }
}

/** What to take out: the unknown key, the bad value, or, where a value is missing, the object that lacks it. */
function faultyPath(issue: z.core.$ZodIssue, options: unknown): Path {
  if (issue.code === 'unrecognized_keys') return [...issue.path, ...issue.keys.slice(0, 1)]
  let path: Path = issue.path
  while (path.length > 0 && valueAt(options, path) === undefined) path = path.slice(0, -1)
  // Taking one item out of a list would rename those after it: the whole list goes.
  const item = path.findIndex((key) => typeof key === 'number')
  return item === -1 ? path : path.slice(0, item)
}

function without(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined || typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  if (rest.length === 0) return Object.fromEntries(entries.filter(([name]) => name !== key))
  return Object.fromEntries(entries.map(([name, inner]) => [name, name === key ? without(inner, rest) : inner]))
}
