import { relative, resolve, sep } from 'node:path'
import { isValidName } from '@sessiond/protocol'
import { SHIPPED_CLASSES } from '../retention/shipped-classes.ts'
import { type Capture, capturesOf, namesOf, segmentsOf } from './artifact-pattern.ts'
import { claimConflicts, claimed, type Surroundings } from './claim-conflicts.ts'
import { type CustomClass, fileBoundsOf, rootOf, unmetNeeds } from './compile-retention.ts'
import { FILE_CLASSES, type FileClass } from './config.ts'
import type { Conflict } from './conflicts.ts'
import type { ParsedOptions } from './host-schema.ts'
import { isWithin } from './is-within.ts'

/** Finds rules of the host that could never match, or always, or that reach what is not theirs. */
export function hostRetentionConflicts(options: ParsedOptions, { baseDir }: { readonly baseDir: string }): Conflict[] {
  const at = 'retention'
  const around = { options, baseDir }
  return [
    ...FILE_CLASSES.flatMap((name) => [
      ...boundlessClass(`${at}.${name}`, options.retention[name]),
      ...shippedKeptConflicts(`${at}.${name}`, name, options.retention[name]?.keep),
    ]),
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
    ...FILE_CLASSES.flatMap((name) => [
      ...boundlessOverride(`${at}.retention`, name, own[name], options),
      ...shippedKeptConflicts(`${at}.retention.${name}`, name, own[name]?.keep),
    ]),
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
    const misplaced = rootConflicts(where, group, written, around)
    const hasBound = written.age !== null || written.count !== null || written.size !== null
    return [
      ...(hasBound ? [] : [boundless(where, 'Give it one, such as age: "7d".')]),
      ...keptConflicts(where, written),
      ...captureConflicts(where, group, written),
      ...misplaced,
      ...(misplaced.length > 0 ? [] : claimConflicts(`${where}.patterns`, group, around)),
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
  const conflict = (rule: string, shown = where, cure = 'Rename it.'): Conflict => {
    return { where: shown, rule, cure, involves: [where] }
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
  if (hosts === undefined) return undefined
  const cure = "Give it a name of its own, with patterns and figures: a group's classes come before the host's."
  return conflict(`has the name of a class of the host, retention.artifacts.${hosts}`, where, cure)
}

/** A pattern that spells out a name that is kept names nothing that may go. */
function keptConflicts(at: string, { patterns, keep }: Pick<CustomClass, 'patterns' | 'keep'>): Conflict[] {
  const where = `${at}.keep`
  return patterns.flatMap((pattern) => {
    const name = namesOf(pattern).find((spelt) => keep.includes(spelt))
    if (name === undefined) return []
    const rule = `keeps ${JSON.stringify(name)}, so that the pattern ${JSON.stringify(pattern)} could never match`
    return [{ where, rule, cure: 'Leave out one of the two.', involves: [where, `${at}.patterns`] }]
  })
}

function shippedKeptConflicts(at: string, name: FileClass, keep: readonly string[] = []): Conflict[] {
  return keptConflicts(at, { patterns: SHIPPED_CLASSES[name].patterns, keep })
    .slice(0, 1)
    .map((conflict) => ({ ...conflict, cure: `Leave it out, or write ${at}: null to switch the class off.` }))
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
      const needed = unmetNeeds(protection, group, captures)
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
  const above = relative(dataDir, root).split(sep).join('/')
  return written.patterns.flatMap((pattern) => {
    const [sessions, owner, session, part, ...below] = segmentsOf(claimed(`/${above}`, pattern))
    const isWorkspace = sessions === 'sessions' && part === 'work' && below.length > 0
    // A part of a name would be another session's, and without any nothing tells whether that one is at work.
    if (isWorkspace && owner === (group ?? '{group}') && session === '{session}') return []
    const place = group === null ? '{group}/{session}/work/' : '{session}/work/'
    return [
      {
        where: `${at}.patterns`,
        rule: `holds ${JSON.stringify(pattern)}, which within dataDir must lie below sessions/${group === null ? '' : `${group}/`}${place}`,
        cure: `Leave root out and begin with ${place}, so that it is known whose it is; the rest is cleaned by classes of its own.`,
        involves: [...involves, `${at}.patterns`],
      },
    ]
  })
}
