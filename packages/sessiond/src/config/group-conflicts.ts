import { resolve } from 'node:path'
import { CONTAINER_PATHS } from '@sessiond/protocol'
import { retryOf, stuckOf } from './compile-group.ts'
import { atMost, type Conflict, type ConflictContext, missingVariable } from './conflicts.ts'
import { formatDuration } from './duration.ts'
import type { ParsedOptions } from './host-schema.ts'
import { isWithin } from './is-within.ts'
import { groupRetentionConflicts } from './retention-conflicts.ts'
import { stuckConflicts, toolConflicts } from './stuck-conflicts.ts'
import { suggest } from './suggest.ts'

type Group = ParsedOptions['groups'][string]

/** Finds what contradicts itself within one group, or between it and the host. */
export function groupConflicts(name: string, group: Group, host: ParsedOptions, context: ConflictContext): Conflict[] {
  const at = `groups.${name}`
  return [
    ...agentConflicts(at, group),
    ...runtimeConflicts(at, group),
    ...policyConflicts(at, group, host),
    ...groupRetentionConflicts(at, name, host, context),
    ...group.sinks.flatMap((sink) => unknownSink(at, sink, Object.keys(host.sinks))),
    ...Object.entries(group.env).flatMap(([variable, value]) => [
      ...badVariable(`${at}.env`, variable),
      ...missingVariable(`${at}.env.${variable}`, value, context, true),
    ]),
    ...group.mounts.flatMap((_, index) => mountConflicts(`${at}.mounts[${index}]`, index, group, host, context)),
  ]
}

function agentConflicts(at: string, group: Group): Conflict[] {
  if ((group.agent === undefined) !== (group.runner === undefined)) return []
  const rule = group.agent === undefined ? 'has neither agent nor runner' : 'has both agent and runner'
  const cure = "Give it exactly one, such as agent: { command: ['sh'] }."
  return [{ where: at, rule, cure, involves: [`${at}.agent`, `${at}.runner`] }]
}

function runtimeConflicts(at: string, group: Group): Conflict[] {
  const involves = [`${at}.runtime`, `${at}.image`]
  if (group.runtime === 'docker') {
    if (group.image !== undefined) return []
    return [
      {
        where: `${at}.image`,
        rule: 'is missing: runtime docker needs it',
        cure: "Name an image, such as 'node:24'.",
        involves,
      },
    ]
  }
  const given = (['image', 'network', 'user'] as const).filter((key) => group[key] !== undefined)
  const dockerOnly: string[] = group.mounts.length > 0 ? [...given, 'mounts'] : given
  return dockerOnly.map((key) => ({
    where: `${at}.${key}`,
    rule: 'means nothing with runtime process',
    cure: "Set runtime: 'docker', or leave it out.",
    involves: [`${at}.runtime`, `${at}.${key}`],
  }))
}

function policyConflicts(at: string, group: Group, host: ParsedOptions): Conflict[] {
  // A contradiction of the host's own is told once, on the host.
  const pathOf = (policy: 'stuck' | 'retry', key: string): string =>
    (group[policy] as Readonly<Record<string, unknown>>)[key] === undefined
      ? `${policy}.${key}`
      : `${at}.${policy}.${key}`
  const stuckPathOf = (key: string): string => pathOf('stuck', key)
  const stuck = stuckOf(group.stuck, host.stuck)
  // An entry of the host's that the group has written anew is never asked.
  const inherited = Object.fromEntries(
    Object.entries(host.stuck.tools).filter(([pattern]) => !Object.hasOwn(group.stuck.tools, pattern)),
  )
  const retry = retryOf(group.retry, host.retry)
  const paired = [
    ...stuckConflicts(stuck, stuckPathOf),
    ...toolConflicts(`${at}.stuck.tools`, group.stuck.tools, stuck, stuckPathOf),
    ...toolConflicts('stuck.tools', inherited, stuck, stuckPathOf),
    ...atMost(pathOf('retry', 'base'), retry.baseMs, pathOf('retry', 'max'), retry.maxMs, formatDuration),
  ].filter((conflict) => conflict.involves.some((path) => path.startsWith(at)))
  if (group.agent === undefined) return paired
  const ceiling = stuckPathOf('maxToolTimeout')
  return [
    ...paired,
    ...atMost(`${at}.agent.timeout`, group.agent.timeout, ceiling, stuck.maxToolTimeoutMs, formatDuration),
  ]
}

function unknownSink(at: string, sink: string, known: readonly string[]): Conflict[] {
  if (known.includes(sink)) return []
  const meant = suggest(sink, known)
  const cure = meant === undefined ? `Add it to sinks, or leave it out.` : `Did you mean ${meant}?`
  const where = `${at}.sinks`
  return [{ where, rule: `names ${JSON.stringify(sink)}, which is no sink`, cure, involves: [where, 'sinks'] }]
}

function badVariable(at: string, variable: string): Conflict[] {
  const where = `${at}[${JSON.stringify(variable)}]`
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(variable)) {
    return [
      { where, rule: 'is no name of a variable', cure: 'Use letters, digits and underscores.', involves: [where] },
    ]
  }
  if (!variable.startsWith('SESSIOND_')) return []
  return [{ where, rule: 'begins with SESSIOND_, which the host sets itself', cure: 'Rename it.', involves: [where] }]
}

/** Not to be covered by a mount: sessiond's own, and what the kernel gives every container. */
const TAKEN_TARGETS: readonly string[] = [CONTAINER_PATHS.work, '/tmp']
const RESERVED_TARGETS = ['/sessiond', '/proc', '/sys', '/dev']

function mountConflicts(
  at: string,
  index: number,
  group: Group,
  host: ParsedOptions,
  context: ConflictContext,
): Conflict[] {
  const mount = group.mounts[index]
  if (mount === undefined) return []
  const source = resolve(context.baseDir, mount.source)
  const dataDir = resolve(context.baseDir, host.dataDir)
  const roots = host.mounts.roots.filter((root) => isWithin(source, resolve(context.baseDir, root.path)))
  const found: Conflict[] = []
  const add = (key: string, value: string, rule: string, cure: string, ...others: string[]): void => {
    found.push({ where: `${at}.${key}`, value, rule, cure, involves: [`${at}.${key}`, ...others] })
  }
  const shown = JSON.stringify(mount.source)
  if (roots.length === 0)
    add('source', shown, 'must lie below one of mounts.roots', 'Add its folder to mounts.roots.', 'mounts')
  else if (mount.writable && !roots.some((root) => root.writable)) {
    add(
      'writable',
      'true',
      'needs a root that is writable too',
      'Set writable on its root, or leave it out here.',
      'mounts',
    )
  }
  if (isWithin(source, dataDir) || isWithin(dataDir, source)) {
    add(
      'source',
      shown,
      "must not reach the host's own dataDir",
      'Mount another folder: the store and its token lie there.',
      'dataDir',
    )
  }
  const target = JSON.stringify(mount.target)
  if (TAKEN_TARGETS.includes(mount.target) || RESERVED_TARGETS.some((reserved) => isWithin(mount.target, reserved))) {
    add('target', target, 'is a place the container needs for itself', "Choose another, such as '/data'.")
  }
  if (group.mounts.slice(0, index).some((other) => other.target === mount.target)) {
    add('target', target, 'is the target of an earlier mount', 'Choose another.')
  }
  return found
}
