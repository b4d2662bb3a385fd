import type { ProcessStat } from './process-stat.ts'
import type { TreePart } from './tree-total.ts'

/** Prepares what was read of a run's processes for adding up: each by its identity, under its parent's. */
export function treeParts<Member extends { readonly stat: ProcessStat }>(
  members: readonly Member[],
  figureOf: (member: Member) => Pick<TreePart, 'total' | 'inherited'>,
): Map<string, TreePart> {
  const keys = new Map(members.map(({ stat }) => [stat.pid, keyOf(stat)]))
  return new Map(
    members.map((member) => {
      const parent = keys.get(member.stat.parentPid) ?? null
      return [keyOf(member.stat), { parent, ...figureOf(member) }]
    }),
  )
}

/** A pid alone is reused. */
function keyOf({ pid, startTicks }: ProcessStat): string {
  return `${pid}:${startTicks}`
}
