import { valueAt } from './find-problems.ts'
import type { Problem } from './problem.ts'

const LOST = '__proto__'

/** A problem, with the option that it makes incomplete. */
export interface LostName extends Problem {
  readonly option: string
}

/**
 * Names that never reach the schema: a group, sink, variable or artifact class called `__proto__` is left out of the objects it reads,
 * and whoever wrote it would be told nothing.
 */
export function findLostNames(options: unknown): LostName[] {
  const groups = valueAt(options, ['groups'])
  return [
    ...lostIn('groups', groups),
    ...lostIn('sinks', valueAt(options, ['sinks'])),
    ...lostIn('retention.artifacts', valueAt(options, ['retention', 'artifacts'])),
    ...namesIn(groups).flatMap((name) => [
      ...lostIn(`groups.${name}.env`, valueAt(groups, [name, 'env'])),
      ...lostIn(`groups.${name}.retention.artifacts`, valueAt(groups, [name, 'retention', 'artifacts'])),
    ]),
  ]
}

function lostIn(path: string, value: unknown): LostName[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  // JSON makes it a key of its own; a literal in JavaScript makes it the prototype.
  if (!Object.hasOwn(value, LOST) && namesIn(Object.getPrototypeOf(value)).length === 0) return []
  const rule = 'has a name that JavaScript keeps for itself'
  return [{ where: `${path}["${LOST}"]`, option: `${path}.${LOST}`, rule, cure: 'Rename it.' }]
}

function namesIn(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}
