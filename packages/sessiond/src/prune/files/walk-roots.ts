import { isAbsolute, relative, sep } from 'node:path'
import type { ArtifactClass } from '../../model/artifact.ts'
import { look } from './look.ts'

/** One folder to be walked, and the rules whose roots it is or contains. */
export interface WalkRoot {
  readonly root: string
  /** In the order of the plan. */
  readonly rules: readonly {
    readonly index: number
    readonly rule: ArtifactClass
    readonly patterns: readonly string[]
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
export function groupRoots(rules: readonly ArtifactClass[]): {
  readonly roots: readonly WalkRoot[]
  readonly refused: readonly number[]
} {
  const seen = new Map([...new Set(rules.map(({ root }) => root))].map((root) => [root, look(root)]))
  const folders = [...seen].flatMap(([root, at]) => (at?.kind === 'folder' ? [{ root, dev: at.dev }] : []))
  // Outer ones first.
  folders.sort((a, b) => a.root.length - b.root.length)
  const outermost: typeof folders = []
  const walkedFrom = new Map<string, string>()
  for (const { root, dev } of folders) {
    // Another file system is never entered on the way, so it needs a walk of its own.
    const outer = outermost.find((each) => each.dev === dev && isWithin(each.root, root))
    if (outer === undefined) outermost.push({ root, dev })
    walkedFrom.set(root, outer?.root ?? root)
  }
  return {
    roots: outermost.map(({ root }) => ({
      root,
      rules: rules.flatMap((rule, index) => (walkedFrom.get(rule.root) === root ? [below(root, rule, index)] : [])),
    })),
    refused: rules.flatMap(({ root }, index) => (isOther(seen.get(root)) ? [index] : [])),
  }
}

function below(root: string, rule: ArtifactClass, index: number): WalkRoot['rules'][number] {
  const prefix = relative(root, rule.root).split(sep).filter(Boolean)
  const pathLength = prefix.reduce((length, name) => length + name.length + 1, 0)
  return { index, rule, patterns: rule.patterns, prefix, pathLength }
}

function isWithin(outer: string, inner: string): boolean {
  const way = relative(outer, inner)
  return !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`)
}

function isOther(seen: ReturnType<typeof look> | undefined): boolean {
  return seen !== null && seen !== undefined && seen.kind !== 'folder'
}
