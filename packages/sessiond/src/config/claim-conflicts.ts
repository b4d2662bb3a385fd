import { resolve } from 'node:path'
import { keptPatterns, SHIPPED_CLASSES } from '../retention/shipped-classes.ts'
import { isCovered, isCoveredTogether, isNeverUnit, mayClash, mayHold } from './artifact-pattern.ts'
import { fileBoundsOf, rootOf } from './compile-retention.ts'
import { FILE_CLASSES, type FileClass } from './config.ts'
import type { Conflict } from './conflicts.ts'
import type { ParsedOptions } from './host-schema.ts'

export interface Surroundings {
  readonly options: ParsedOptions
  readonly baseDir: string
}

interface Claim {
  readonly where: string
  /** The group whose class it is; null: the host's. */
  readonly owner: string | null
  readonly isShipped: boolean
  /** As written. */
  readonly written: string
  /** From the root of the file system. */
  readonly pattern: string
}

/** What is wrong with the patterns of a class of one's own beside those that are asked before them, or for other groups. */
export function claimConflicts(where: string, group: string | null, around: Surroundings): Conflict[] {
  const claims = claimsOf(group, around)
  const mayNotHold = unheldClaims(group, around)
  const others = group === null ? [] : claimsOfGroupsBefore(group, around)
  return claims.flatMap((claim, index) => {
    if (claim.where !== where) return []
    const earlier = claims.slice(0, index)
    const found = coveredBy(claim, earlier) ?? neverUnit(claim, earlier, mayNotHold) ?? clashing(claim, others)
    return found === undefined ? [] : [{ where, ...found, involves: [where, ...found.involves] }]
  })
}

type Found = Pick<Conflict, 'rule' | 'cure' | 'involves'> | undefined

/** A pattern all of whose entries belong to earlier ones already says nothing, or drops what these protect. */
function coveredBy(claim: Claim, earlier: readonly Claim[]): Found {
  const one = earlier.find((other) => isCovered(claim.pattern, other.pattern))
  if (one !== undefined) {
    const rule = `holds ${shown(claim)}, all of which belongs to ${nameOf(one, claim)} already`
    return { rule, cure: `Leave it out${firstOf(one, claim)}.`, involves: [one.where] }
  }
  const patterns = earlier.map(({ pattern }) => pattern)
  if (!isCoveredTogether(claim.pattern, patterns)) return undefined
  const rule = `holds ${shown(claim)}, all of which belongs to earlier patterns already, to the one or the other`
  return { rule, cure: 'Leave it out, or put it first.', involves: earlier.map((other) => other.where) }
}

/** Folders in which something may belong to another class are not gone through as one. */
function neverUnit(claim: Claim, earlier: readonly Claim[], mayNotHold: readonly Claim[]): Found {
  const other =
    mayNotHold.find(({ pattern }) => mayHold(claim.pattern, pattern)) ??
    earlier.find((each) => isNeverUnit(asOf(each.owner, claim), each.pattern))
  if (other === undefined) return undefined
  return {
    rule: `holds ${shown(claim)}, folders that go each as one unit: none does that may hold what belongs to ${nameOf(other, claim)}`,
    cure: `Name other folders, or the files in them${firstOf(other, claim)}.`,
    involves: [other.where],
  }
}

/** What else helps where both classes are one's own. */
function firstOf(other: Claim, { owner }: Claim): string {
  if (other.isShipped) return ''
  return other.owner === owner ? ', or put it first' : ', or make it a class of that group, before the other one'
}

/** What a pattern comes to in a group. */
function asOf(group: string | null, { pattern }: Claim): string {
  return group === null ? pattern : pattern.replace('{group}', group)
}

/** Which group's class such an entry belongs to would depend on the groups that are asked for. */
function clashing(claim: Claim, others: readonly Claim[]): Found {
  const other = others.find(({ pattern }) => mayClash(claim.pattern, pattern))
  if (other === undefined) return undefined
  return {
    rule: `holds ${shown(claim)}, which may name what belongs to ${other.where}, and so to another group`,
    cure: 'Give each group folders or names of its own, or make it one class of the host.',
    involves: [other.where],
  }
}

function shown({ written }: Claim): string {
  return JSON.stringify(written)
}

function nameOf(other: Claim, { where }: Claim): string {
  return other.where === where ? 'an earlier pattern' : other.where
}

/**
 * All patterns from the root of the file system, in the order in which an entry finds its class. The host's own classes
 * reach what any one group has switched a shipped class off for.
 */
function claimsOf(group: string | null, around: Surroundings): Claim[] {
  const { options } = around
  const owners = group === null ? Object.keys(options.groups) : [group]
  return [
    ...FILE_CLASSES.flatMap((name) => {
      const isOn = switchesOf(name, group, options).every((each) => each)
      return shippedClaims(name, isOn ? SHIPPED_CLASSES[name].patterns : keptPatterns(name), group, around)
    }),
    ...owners.flatMap((owner) => customClaims(owner, around)),
    ...(group === null ? customClaims(null, around) : []),
  ]
}

function claimsOfGroupsBefore(group: string, around: Surroundings): Claim[] {
  const all = Object.keys(around.options.groups)
  return all.slice(0, all.indexOf(group)).flatMap((other) => customClaims(other, around))
}

/** What no folder may hold that goes as one: what shipped classes name wherever they are on, and keep wherever not. */
function unheldClaims(group: string | null, around: Surroundings): Claim[] {
  return FILE_CLASSES.flatMap((name) => {
    const isOn = switchesOf(name, group, around.options).some((each) => each)
    return shippedClaims(name, isOn ? SHIPPED_CLASSES[name].patterns : keptPatterns(name), group, around)
  })
}

function shippedClaims(
  name: FileClass,
  patterns: readonly string[],
  group: string | null,
  { options, baseDir }: Surroundings,
): Claim[] {
  const sessions = resolve(baseDir, options.dataDir, 'sessions')
  const about = { where: `retention.${name}`, owner: null, isShipped: true }
  return patterns.map((pattern) => claimOf(about, sessions, `${group ?? '{group}'}/${pattern}`))
}

function customClaims(owner: string | null, around: Surroundings): Claim[] {
  const { options } = around
  const at = owner === null ? 'retention.artifacts' : `groups.${owner}.retention.artifacts`
  const { artifacts } = (owner === null ? options.retention : options.groups[owner]?.retention) ?? { artifacts: {} }
  return Object.entries(artifacts).flatMap(([name, custom]) =>
    custom.patterns.map((pattern) =>
      claimOf(
        { where: `${at}.${name}.patterns`, owner, isShipped: false },
        rootOf(custom, owner, options, around),
        pattern,
      ),
    ),
  )
}

function claimOf(about: Pick<Claim, 'where' | 'owner' | 'isShipped'>, root: string, written: string): Claim {
  return { ...about, written, pattern: claimed(root, written) }
}

/** Whether a shipped class is on in a group; of null, on the host and in each group. */
function switchesOf(name: FileClass, group: string | null, { retention, groups }: ParsedOptions): boolean[] {
  const owners = group === null ? [undefined, ...Object.keys(groups)] : [group]
  return owners.map((owner) => {
    const own = owner === undefined ? undefined : groups[owner]?.retention[name]
    return fileBoundsOf(own, retention[name]) !== null
  })
}

/** Names of folders may hold what stands for others in a pattern. */
export function claimed(root: string, pattern: string): string {
  return `${root.slice(1).replace(/[*{}]/g, '\u0002')}/${pattern}`
}
