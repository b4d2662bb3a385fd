import { isValidName } from '@sessiond/protocol'
import { BAD_PORTS } from './bad-ports.ts'
import { stuckOf } from './compile-group.ts'
import { formatDuration } from './duration.ts'
import type { Environment } from './environment.ts'
import { groupConflicts } from './group-conflicts.ts'
import type { ParsedOptions } from './host-schema.ts'
import type { Problem } from './problem.ts'
import { hostRetentionConflicts } from './retention-conflicts.ts'
import { formatSize } from './size.ts'
import { stuckConflicts, toolConflicts } from './stuck-conflicts.ts'

/** Options that do not go together; `involves` names every option whose own fault would make this one noise. */
export interface Conflict extends Problem {
  readonly involves: readonly string[]
}

export interface ConflictContext {
  readonly baseDir: string
  readonly env: Environment
  /** False: variables named by `fromEnv` may be missing, for commands that start no run. */
  readonly needsSecrets: boolean
}

/** Finds every pair of options that contradict each other; each option by itself is already valid. */
export function findConflicts(options: ParsedOptions, context: ConflictContext): Conflict[] {
  return [
    ...hostConflicts(options),
    ...hostRetentionConflicts(options, context),
    ...nameConflicts('groups', Object.keys(options.groups)),
    ...nameConflicts('sinks', Object.keys(options.sinks)),
    ...Object.entries(options.sinks).flatMap(([name, sink]) => [
      ...atMost(`sinks.${name}.base`, sink.base, `sinks.${name}.max`, sink.max, formatDuration),
      ...badPort(`sinks.${name}.url`, sink.url),
      ...missingVariable(`sinks.${name}.secret`, sink.secret, context, false),
    ]),
    ...Object.entries(options.groups).flatMap(([name, group]) => groupConflicts(name, group, options, context)),
  ]
}

function hostConflicts(options: ParsedOptions): Conflict[] {
  const { runs, spawn, stuck, retry, provider, mailbox, limits, api, shutdown, cleaning } = options
  return [
    ...atMost('runs.maxStarting', runs.maxStarting ?? 1, 'runs.max', runs.max, String),
    ...atMost('spawn.base', spawn.base, 'spawn.max', spawn.max, formatDuration),
    ...atMost('retry.base', retry.base, 'retry.max', retry.max, formatDuration),
    ...atMost('provider.wait', provider.wait, 'provider.maxWait', provider.maxWait, formatDuration),
    ...atMost('provider.maxWait', provider.maxWait, 'provider.maxPark', provider.maxPark, formatDuration),
    ...hostStuckConflicts(stuck),
    ...(cleaning.every === null
      ? []
      : atMost('cleaning.budget', cleaning.budget, 'cleaning.every', cleaning.every, formatDuration)),
    ...atMost('limits.text', limits.text, 'mailbox.window', mailbox.window, formatSize),
    // The body also holds the text's quotes, escapes and the other fields.
    ...atMost('limits.text', limits.text, 'api.maxBody', api.maxBody - 1024, () => formatSize(limits.text), {
      rule: `must be at least 1KiB below api.maxBody, which is ${formatSize(api.maxBody)}`,
    }),
    ...stopConflict(shutdown, runs),
    ...drainConflict(shutdown, runs),
    ...(Object.keys(options.groups).length === 0 ? [NO_GROUP] : []),
  ]
}

function hostStuckConflicts(options: ParsedOptions['stuck']): Conflict[] {
  const stuck = stuckOf({ tools: {} }, options)
  const pathOf = (key: string): string => `stuck.${key}`
  return [...stuckConflicts(stuck, pathOf), ...toolConflicts('stuck.tools', options.tools, stuck, pathOf)]
}

const NO_GROUP: Conflict = {
  where: 'groups',
  rule: 'must name at least one group',
  cure: "Add one, such as groups: { shell: { agent: { command: ['sh'] } } }.",
  involves: ['groups'],
}

function stopConflict(shutdown: ParsedOptions['shutdown'], runs: ParsedOptions['runs']): Conflict[] {
  const neededMs = shutdown.drain + runs.stopGrace + runs.killWait
  if (neededMs <= shutdown.stopTimeout) return []
  return [
    {
      where: 'shutdown.drain',
      value: formatDuration(shutdown.drain),
      rule: `must leave room: with runs.stopGrace and runs.killWait it makes ${formatDuration(neededMs)}, more than shutdown.stopTimeout, ${formatDuration(shutdown.stopTimeout)}`,
      cure: 'Shorten it, or raise the stop time-out in your service manager and then shutdown.stopTimeout.',
      involves: ['shutdown.drain', 'shutdown.stopTimeout', 'runs.stopGrace', 'runs.killWait'],
    },
  ]
}

/** The end of the drain belongs to stopping what is left, so that a short one would be none although it looks like one. */
function drainConflict(shutdown: ParsedOptions['shutdown'], runs: ParsedOptions['runs']): Conflict[] {
  if (shutdown.drain === 0 || shutdown.drain > runs.stopGrace) return []
  return [
    {
      where: 'shutdown.drain',
      value: formatDuration(shutdown.drain),
      rule: `must be more than runs.stopGrace, which is ${formatDuration(runs.stopGrace)} and taken from its end`,
      cure: 'Raise it, lower runs.stopGrace, or write 0 to give running work no time at all.',
      involves: ['shutdown.drain', 'runs.stopGrace'],
    },
  ]
}

/** Names the port and no more: the rest of a URL may be a secret. */
function badPort(where: string, url: string): Conflict[] {
  const port = URL.parse(url)?.port ?? ''
  if (port === '' || !BAD_PORTS.has(Number(port))) return []
  const rule = `has port ${port}, which cannot be posted to: the Fetch standard keeps it for another protocol`
  return [{ where, rule, cure: 'Have the receiver listen on another port.', involves: [where] }]
}

function nameConflicts(kind: 'groups' | 'sinks', names: readonly string[]): Conflict[] {
  return names.flatMap((name, index) => {
    const where = `${kind}.${name}`
    if (!isValidName(name)) {
      const rule = 'has a name that is not 1 to 64 letters, digits, dots, underscores and hyphens'
      return [
        {
          where: `${kind}[${JSON.stringify(name)}]`,
          rule,
          cure: 'Rename it; begin with a letter or digit.',
          involves: [where],
        },
      ]
    }
    const twin = names.slice(0, index).find((other) => other.toLowerCase() === name.toLowerCase())
    if (twin === undefined) return []
    return [
      {
        where,
        rule: `differs from ${twin} by case alone`,
        cure: 'Rename one: some disks cannot tell them apart.',
        involves: [where],
      },
    ]
  })
}

/** A conflict when `low` is more than `high`. */
export function atMost(
  lowPath: string,
  low: number,
  highPath: string,
  high: number,
  format: (value: number) => string,
  words: { readonly rule?: string } = {},
): Conflict[] {
  if (low <= high) return []
  return [
    {
      where: lowPath,
      value: format(low),
      rule: words.rule ?? `must be at most ${highPath}, which is ${format(high)}`,
      cure: `Lower ${lowPath} or raise ${highPath}.`,
      involves: [lowPath, highPath],
    },
  ]
}

/** A conflict when an option names a variable that the host's environment does not have. */
export function missingVariable(
  where: string,
  secret: string | { readonly fromEnv: string } | undefined,
  context: ConflictContext,
  mayBeEmpty: boolean,
): Conflict[] {
  if (secret === undefined || (typeof secret === 'string' && (secret !== '' || mayBeEmpty))) return []
  if (typeof secret === 'string') {
    return [{ where, rule: 'must not be empty', cure: 'Leave it out, or give it a value.', involves: [where] }]
  }
  const value = context.env[secret.fromEnv]
  if (!context.needsSecrets || (value !== undefined && (value !== '' || mayBeEmpty))) return []
  const rule = `takes its value from the environment variable ${secret.fromEnv}, which is ${value === '' ? 'empty' : 'not set'}`
  return [{ where, rule, cure: 'Set the variable where the host is started.', involves: [where] }]
}
