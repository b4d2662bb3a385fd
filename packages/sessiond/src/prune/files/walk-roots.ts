import { dirname, relative, sep } from 'node:path'
import type { ArtifactClass } from '../../model/artifact.ts'
import { type Look, look } from './look.ts'

/** One folder to be walked, and the rules whose roots it is or contains. */
export interface WalkRoot {
  readonly root: string
  /** In the order of the plan. */
  readonly rules: readonly {
    readonly index: number
    readonly rule: ArtifactClass
    /** Folders from here to the rule's own root. */
    readonly prefix: readonly string[]
    /** Characters of that way, its last `/` included. */
    readonly pathLength: number
  }[]
}

/**
 * Rules whose roots lie within one another are walked together: so an entry is found once, by the first rule it fits.
 * A root that is missing holds nothing; one that is no folder of its own is refused.
 */
export function groupRoots(
  rules: readonly ArtifactClass[],
  mountPoints: ReadonlySet<string>,
): {
  readonly roots: readonly WalkRoot[]
  readonly refused: readonly number[]
} {
  const seen = new Map<string, Look | null>()
  for (const { root } of rules) if (!seen.has(root)) seen.set(root, look(root))
  const walks = new Map<string, { root: string; rules: WalkRoot['rules'][number][] }>()
  const refused: number[] = []
  for (const [index, rule] of rules.entries()) {
    const at = seen.get(rule.root)
    if (at?.kind === 'folder') {
      const root = outermost(rule.root, at.dev, seen, mountPoints)
      const walk = walks.get(root) ?? { root, rules: [] }
      walk.rules.push(below(root, rule, index))
      walks.set(root, walk)
    } else if (at) refused.push(index)
  }
  return { roots: [...walks.values()], refused }
}

/** From where a root is come by. What is mounted is never entered on the way, so it needs a walk of its own. */
function outermost(
  root: string,
  dev: Look['dev'],
  seen: ReadonlyMap<string, Look | null>,
  mountPoints: ReadonlySet<string>,
): string {
  let outer = root
  for (let at = root; at !== dirname(at) && !mountPoints.has(Buffer.from(at).toString('latin1')); ) {
    at = dirname(at)
    const above = seen.get(at)
    if (above?.kind === 'folder' && above.dev === dev) outer = at
  }
  return outer
}

function below(root: string, rule: ArtifactClass, index: number): WalkRoot['rules'][number] {
  const prefix = relative(root, rule.root).split(sep).filter(Boolean)
  const pathLength = prefix.reduce((length, name) => length + name.length + 1, 0)
  return { index, rule, prefix, pathLength }
}
