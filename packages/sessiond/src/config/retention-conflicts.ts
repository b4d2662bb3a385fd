import { relative, resolve, sep } from 'node:path'
import { isValidName } from '@sessiond/protocol'
import { SHIPPED_CLASSES } from '../retention/shipped-classes.ts'
import { type Capture, capturesOf, isCovered, nameOf, segmentsOf } from './artifact-pattern.ts'
import { type CustomClass, fileBoundsOf, needsOf, rootOf } from './compile-retention.ts'
import { FILE_CLASSES, type FileClass } from './config.ts'
import type { Conflict } from './conflicts.ts'
import type { ParsedOptions } from './host-schema.ts'
import { isWithin } from './is-within.ts'

interface Surroundings {
  readonly options: ParsedOptions
  readonly baseDir: string
}

/** Finds rules of the host that could never match, or always, or that reach what is not theirs. */
export function hostRetentionConflicts(options: ParsedOptions, { baseDir }: { readonly baseDir: string }): Conflict[] {
  const at = 'retention'
  const around = { options, baseDir }
  return [
    ...FILE_CLASSES.flatMap((name) => boundlessClass(`${at}.${name}`, options.retention[name])),
    ...customConflicts(`${at}.artifacts`, null, options.retention.artifacts, around),
  ]
}

/** The same of one group. */
export function groupRetentionConflicts(
  at: string,
  group: string,
  options: ParsedOptions,
  { baseDir }: { readonly baseDir: string },
): Conflict[] {
  const own = options.groups[group]?.retention
  if (own === undefined) return []
  return [
    ...FILE_CLASSES.flatMap((name) => boundlessOverride(`${at}.retention`, name, own[name], options)),
    ...customConflicts(`${at}.retention.artifacts`, group, own.artifacts, { options, baseDir }),
  ]
}

function boundlessClass(where: string, bounds: ParsedOptions['retention'][FileClass]): Conflict[] {
  if (bounds === null || bounds.age !== null || bounds.count !== null || bounds.size !== null) return []
  return [boundless(where, `Give it one, or write ${where}: null to switch the class off.`)]
}

function boundlessOverride(
  at: string,
  name: FileClass,
  own: ParsedOptions['groups'][string]['retention'][FileClass],
  { retention }: ParsedOptions,
): Conflict[] {
  if (own === undefined || own === null) return []
  const bounds = fileBoundsOf(own, retention[name])
  if (bounds === null || bounds.maxAgeMs !== null || bounds.maxCount !== null || bounds.maxBytes !== null) return []
  const where = `${at}.${name}`
  const conflict = boundless(where, `Give it one, or write ${where}: null to switch the class off.`)
  return [{ ...conflict, involves: [where, `retention.${name}`] }]
}

function boundless(where: string, cure: string): Conflict {
  return { where, rule: 'has neither age nor count nor size, so that it could never match', cure, involves: [where] }
}

function customConflicts(
  at: string,
  group: string | null,
  classes: Readonly<Record<string, CustomClass>>,
  around: Surroundings,
): Conflict[] {
  return Object.entries(classes).flatMap(([name, written]) => {
    const where = `${at}.${name}`
    const wrongName = nameConflict(at, name, Object.keys(classes), group, around.options)
    if (wrongName !== undefined) return [wrongName]
    const hasBound = written.age !== null || written.count !== null || written.size !== null
    return [
      ...(hasBound ? [] : [boundless(where, 'Give it one, such as age: "7d".')]),
      ...keptConflicts(where, written),
      ...captureConflicts(where, group, written),
      ...rootConflicts(where, group, written, around),
      ...coveredConflicts(where, group, around),
    ]
  })
}

function nameConflict(
  at: string,
  name: string,
  siblings: readonly string[],
  group: string | null,
  { retention }: ParsedOptions,
): Conflict | undefined {
  const where = `${at}.${name}`
  const conflict = (rule: string, shown = where): Conflict => {
    return { where: shown, rule, cure: 'Rename it.', involves: [where] }
  }
  if (!isValidName(name)) {
    const rule = 'has a name that is not 1 to 64 letters, digits, dots, underscores and hyphens'
    return conflict(rule, `${at}[${JSON.stringify(name)}]`)
  }
  const isSame = (other: string): boolean => other.toLowerCase() === name.toLowerCase()
  const shipped = [...Object.keys(retention), 'trash'].find(isSame)
  if (shipped !== undefined) return conflict(`has the name of a class of sessiond's own, ${shipped}`)
  const twin = siblings.slice(0, siblings.indexOf(name)).find(isSame)
  if (twin !== undefined) return conflict(`differs from ${twin} by case alone`)
  const hosts = group === null ? undefined : Object.keys(retention.artifacts).find(isSame)
  return hosts === undefined ? undefined : conflict(`has the name of a class of the host, retention.artifacts.${hosts}`)
}

/** A pattern whose last name is spelt out and kept names nothing that may go. */
function keptConflicts(at: string, { patterns, keep }: CustomClass): Conflict[] {
  const where = `${at}.keep`
  return patterns.flatMap((pattern) => {
    const name = nameOf(pattern)
    if (name === undefined || !keep.includes(name)) return []
    const rule = `keeps ${JSON.stringify(name)}, so that the pattern ${JSON.stringify(pattern)} could never match`
    return [{ where, rule, cure: 'Leave out one of the two.', involves: [where, `${at}.patterns`] }]
  })
}

function captureConflicts(at: string, group: string | null, { patterns, protects }: CustomClass): Conflict[] {
  const where = `${at}.patterns`
  return patterns.flatMap((pattern) => {
    const captures = capturesOf(pattern)
    const shown = JSON.stringify(pattern)
    const conflict = (rule: string, cure: string): Conflict => ({ where, rule, cure, involves: [where] })
    if (group !== null && captures.has('group')) {
      return [conflict(`captures the group in ${shown}, which is known`, 'Write * in its place, or the name.')]
    }
    const missing = missingCapture(captures, group)
    if (missing !== undefined) return [conflict(`holds ${shown}, which ${missing.rule}`, missing.cure)]
    return (protects ?? []).flatMap((protection) => {
      const needed = needsOf(protection, group).filter((capture) => !captures.has(capture))
      if (needed.length === 0) return []
      const names = needed.map((capture) => `{${capture}}`).join(' and ')
      const rule = `protects by ${protection}, which the pattern ${shown} cannot tell: it captures no ${names}`
      const own = `${at}.protects`
      return [{ where: own, rule, cure: 'Capture it, or leave the protection out.', involves: [own, where] }]
    })
  })
}

/** Sessions are named by their group and their own name, runs by these and their epoch. */
function missingCapture(captures: ReadonlySet<Capture>, group: string | null) {
  if (captures.has('epoch') && !captures.has('session')) {
    return { rule: 'captures {epoch} without {session}', cure: 'Capture {session} too, or write *.' }
  }
  if (captures.has('session') && group === null && !captures.has('group')) {
    return { rule: 'captures {session} without {group}', cure: 'Capture {group} too, or move it to the group.' }
  }
  return undefined
}

/** Within the data directory only workspaces may be named: the rest is the host's own, and the store lies there. */
function rootConflicts(at: string, group: string | null, written: CustomClass, around: Surroundings): Conflict[] {
  const where = `${at}.root`
  const dataDir = resolve(around.baseDir, around.options.dataDir)
  const root = rootOf(written, group, around.options, around)
  const involves = [where, 'dataDir']
  const value = JSON.stringify(written.root ?? root)
  if (isWithin(dataDir, root)) {
    const rule = "must not hold the host's own dataDir"
    return [{ where, value, rule, cure: 'Name a folder below or beside it.', involves }]
  }
  if (!isWithin(root, dataDir)) return []
  const above = relative(dataDir, root).split(sep)
  return written.patterns.flatMap((pattern) => {
    const [sessions, owner, session, part, ...below] = [...above, ...segmentsOf(pattern)]
    const isWorkspace = sessions === 'sessions' && part === 'work' && below.length > 0
    if (isWorkspace && session !== '**' && (group === null ? owner !== '**' : owner === group)) return []
    const place = group === null ? '{group}/{session}' : `${group}/{session}`
    return [
      {
        where: `${at}.patterns`,
        rule: `holds ${JSON.stringify(pattern)}, which within dataDir must lie below sessions/${place}/work`,
        cure: 'Name what lies in the workspace; the rest is cleaned by classes of its own.',
        involves: [...involves, `${at}.patterns`],
      },
    ]
  })
}

interface Claim {
  readonly where: string
  /** As written. */
  readonly written: string
  /** From the root of the file system. */
  readonly pattern: string
}

/** A pattern all of whose entries belong to an earlier one already says nothing, or drops what that one protects. */
function coveredConflicts(at: string, group: string | null, around: Surroundings): Conflict[] {
  const where = `${at}.patterns`
  const claims = claimsOf(group, around)
  return claims.flatMap((claim, index) => {
    if (claim.where !== where) return []
    const earlier = claims.slice(0, index).find((other) => isCovered(claim.pattern, other.pattern))
    if (earlier === undefined) return []
    const shown = JSON.stringify(claim.written)
    const rule = `holds ${shown}, all of which belongs to ${earlier.where === where ? 'an earlier pattern' : earlier.where} already`
    return [{ where, rule, cure: 'Leave it out, or put it first.', involves: [where, earlier.where] }]
  })
}

/** All patterns from the root of the file system, in the order in which an entry finds its class. */
function claimsOf(group: string | null, around: Surroundings): Claim[] {
  const { options, baseDir } = around
  const sessions = resolve(baseDir, options.dataDir, 'sessions')
  const claim = (where: string, root: string, written: string): Claim => {
    return { where, written, pattern: claimed(root, written) }
  }
  const shipped = FILE_CLASSES.filter((name) => isEverywhereOn(name, group, options)).flatMap((name) =>
    SHIPPED_CLASSES[name].patterns.map((pattern) =>
      claim(`retention.${name}`, sessions, `${group ?? '{group}'}/${pattern}`),
    ),
  )
  const customOf = (owner: string | null, at: string, classes: ParsedOptions['retention']['artifacts']): Claim[] =>
    Object.entries(classes).flatMap(([name, custom]) =>
      custom.patterns.map((pattern) =>
        claim(`${at}.${name}.patterns`, rootOf(custom, owner, options, around), pattern),
      ),
    )
  const owners = group === null ? Object.keys(options.groups) : [group]
  return [
    ...shipped,
    ...owners.flatMap((owner) =>
      customOf(owner, `groups.${owner}.retention.artifacts`, options.groups[owner]?.retention.artifacts ?? {}),
    ),
    ...(group === null ? customOf(null, 'retention.artifacts', options.retention.artifacts) : []),
  ]
}

/** The host's own classes reach what any one group has switched a shipped class off for. */
function isEverywhereOn(name: FileClass, group: string | null, { retention, groups }: ParsedOptions): boolean {
  const isOn = (own: CustomOrShipped): boolean => fileBoundsOf(own, retention[name]) !== null
  if (group !== null) return isOn(groups[group]?.retention[name])
  return retention[name] !== null && Object.values(groups).every((each) => isOn(each.retention[name]))
}

type CustomOrShipped = ParsedOptions['groups'][string]['retention'][FileClass]

/** Names of folders may hold what stands for others in a pattern. */
function claimed(root: string, pattern: string): string {
  return `${root.slice(1).replace(/[*{}]/g, '\u0002')}/${pattern}`
}
