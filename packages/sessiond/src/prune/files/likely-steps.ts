/** As much of a step as tells which name it waits for: `only` is the one that its segment fits, if it is one. */
interface Waiting {
  readonly pattern: { readonly segments: readonly ({ readonly only: string | null } | null)[] }
  readonly index: number
}

/** Fewer are asked one by one. */
const MANY = 64

/** Places in the order of steps. */
interface StepIndex {
  readonly byName: ReadonlyMap<string, readonly number[]>
  readonly others: readonly number[]
}

const indexes = new WeakMap<readonly Waiting[], StepIndex>()

/**
 * Of steps those that a name may fit, in their order. A host with thousands of groups has as many patterns for the folder
 * that holds them all, of which a few fit the folder of each.
 */
export function likelySteps<Step extends Waiting>(steps: readonly Step[], name: string): readonly Step[] {
  if (steps.length < MANY) return steps
  const index = indexes.get(steps) ?? indexOf(steps)
  indexes.set(steps, index)
  const places = [...(index.byName.get(name) ?? []), ...index.others].sort((a, b) => a - b)
  return places.flatMap((place) => steps[place] ?? [])
}

function indexOf(steps: readonly Waiting[]): StepIndex {
  const byName = new Map<string, number[]>()
  const others: number[] = []
  for (const [place, { pattern, index }] of steps.entries()) {
    const only = pattern.segments[index]?.only ?? null
    const known = only === null ? others : byName.get(only)
    if (known !== undefined) known.push(place)
    else if (only !== null) byName.set(only, [place])
  }
  return { byName, others }
}
