import { resolve } from 'node:path'
import type { CompileContext } from './compile-config.ts'
import { retentionPolicyOf } from './compile-retention.ts'
import type { AgentConfig, GroupConfig, RetryPolicy, StuckPolicy, ToolOverride } from './config.ts'
import type { Environment } from './environment.ts'
import type { ParsedOptions } from './host-schema.ts'
import { toBytes } from './leaf.ts'
import type { SecretOption } from './options.ts'

type Group = ParsedOptions['groups'][string]

/** Completes one group: what it leaves out comes from the host, then from the runtime's own defaults. */
export function compileGroup(name: string, group: Group, host: ParsedOptions, context: CompileContext): GroupConfig {
  const isDocker = group.runtime === 'docker'
  return {
    name,
    agent: agentOf(group),
    runtime: group.runtime,
    image: group.image ?? null,
    network: isDocker ? (group.network ?? 'bridge') : 'host',
    // Null: the runtime's own choice, never root.
    user: group.user ?? null,
    environment: Object.fromEntries(
      Object.entries(group.env).map(([variable, value]) => [variable, secretValue(value, context.env)]),
    ),
    mounts: group.mounts.map((mount) => ({ ...mount, source: resolve(context.baseDir, mount.source) })),
    limits: {
      memoryBytes: group.limits.memory === undefined ? (isDocker ? toBytes('2GiB') : null) : group.limits.memory,
      processes: group.limits.processes === undefined ? (isDocker ? 512 : null) : group.limits.processes,
      cpus: group.limits.cpus ?? null,
      fileBytes: group.limits.file,
      logBytes: group.limits.log,
    },
    timeZone: group.timeZone ?? host.timeZone,
    sinks: [...new Set(group.sinks)],
    stuck: stuckOf(group.stuck, host.stuck),
    retry: retryOf(group.retry, host.retry),
    idleStopMs: group.idleStop ?? host.runs.idleStop,
    account: group.account ?? name,
    retention: retentionPolicyOf(name, host, context),
  }
}

/** The text itself, or what the host's variable holds; "" for a variable that was allowed to be missing. */
export function secretValue(secret: SecretOption, env: Environment): string {
  return typeof secret === 'string' ? secret : (env[secret.fromEnv] ?? '')
}

function agentOf({ agent, runner }: Group): AgentConfig {
  if (runner !== undefined) return { kind: 'runner', command: runner.command }
  if (agent === undefined) throw new TypeError('a checked group has an agent or a runner')
  const { command, per, timeout, maxReply } = agent
  return { kind: 'command', command, per, timeoutMs: timeout, maxReplyBytes: maxReply }
}

/** `stuck` of a group over that of the host. */
export function stuckOf(own: Group['stuck'], host: ParsedOptions['stuck']): StuckPolicy {
  return {
    policy: own.policy ?? host.policy,
    startMs: own.start ?? host.start,
    frozenMs: own.frozen ?? host.frozen,
    toolGraceMs: own.toolGrace ?? host.toolGrace,
    maxToolTimeoutMs: own.maxToolTimeout ?? host.maxToolTimeout,
    toolSilentMs: own.toolSilent ?? host.toolSilent,
    toolBlindMs: own.toolBlind ?? host.toolBlind,
    busyCeilingMs: own.busyCeiling ?? host.busyCeiling,
    modelSilentMs: own.modelSilent ?? host.modelSilent,
    modelPingingMs: own.modelPinging ?? host.modelPinging,
    maxWaitMs: own.maxWait ?? host.maxWait,
    silentMs: own.silent ?? host.silent,
    deafMs: own.deaf ?? host.deaf,
    claimSilentMs: own.claimSilent ?? host.claimSilent,
    ceilingMs: own.ceiling ?? host.ceiling,
    tools: [...toolsOf(own.tools), ...toolsOf(host.tools)],
  }
}

function toolsOf(tools: Group['stuck']['tools']): ToolOverride[] {
  return Object.entries(tools ?? {}).map(([pattern, { silent, busyCeiling }]) => ({
    pattern,
    silentMs: silent ?? null,
    busyCeilingMs: busyCeiling ?? null,
  }))
}

/** `retry` of a group over that of the host. */
export function retryOf(own: Group['retry'], host: ParsedOptions['retry']): RetryPolicy {
  return {
    maxTries: own.maxTries ?? host.maxTries,
    baseMs: own.base ?? host.base,
    maxMs: own.max ?? host.max,
    jitter: own.jitter ?? host.jitter,
    maxDeferMs: own.maxDefer ?? host.maxDefer,
  }
}
