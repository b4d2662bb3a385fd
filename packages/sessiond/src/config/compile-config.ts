import { resolve } from 'node:path'
import { compileGroup, retryOf, secretValue, stuckOf } from './compile-group.ts'
import { cleaningOf, retentionPolicyOf } from './compile-retention.ts'
import type { HostConfig } from './config.ts'
import { type Conflict, findConflicts } from './conflicts.ts'
import { applyEnvironment, type Environment } from './environment.ts'
import { findProblems } from './find-problems.ts'
import { hostSchema, type ParsedOptions } from './host-schema.ts'
import { findLostNames } from './lost-names.ts'
import type { HostOptions } from './options.ts'
import { ConfigInvalidError, type Problem } from './problem.ts'
import { salvage } from './salvage.ts'

export interface CompileContext {
  readonly env: Environment
  /** Where relative paths start: the folder of the configuration file. */
  readonly baseDir: string
  /** How errors call the configuration, for instance its file. */
  readonly source?: string
  /** False: variables named by `fromEnv` may be missing. For commands that start no run. @default true */
  readonly needsSecrets?: boolean
}

/**
 * Makes loose options complete: environment laid over them, defaults filled in, all in ms and bytes. Throws
 * CONFIG_INVALID naming every problem at once, never a secret's value.
 */
export function compileConfig(options: HostOptions | unknown, context: CompileContext): HostConfig {
  const overridden = applyEnvironment(options, context.env)
  const parsed = hostSchema.safeParse(overridden.options)
  const { sound, removed } = parsed.success
    ? { sound: parsed.data, removed: [] }
    : salvage(overridden.options, parsed.error.issues)
  const lost = findLostNames(overridden.options)
  const notRead = [...removed, ...lost.map(({ option }) => option)]
  const conflicts = sound === undefined ? [] : findConflicts(sound, { needsSecrets: true, ...context })
  const problems = [
    ...overridden.problems,
    ...(parsed.success ? [] : findProblems(parsed.error.issues, overridden.options)),
    ...lost,
    ...conflicts.filter((conflict) => !isNoise(conflict, notRead)),
  ].map((problem) => nameVariable(problem, overridden.setBy))
  if (problems.length > 0 || !parsed.success) throw new ConfigInvalidError(problems, context.source)
  return toHostConfig(parsed.data, context)
}

/** A conflict with an option that is wrong by itself says nothing: its value is not known yet. */
function isNoise(conflict: Conflict, removed: readonly string[]): boolean {
  const touches = (path: string, other: string): boolean => path === other || path.startsWith(`${other}.`)
  return conflict.involves.some((path) => removed.some((gone) => touches(path, gone) || touches(gone, path)))
}

function nameVariable(
  { where, value, rule, cure, ...rest }: Problem & { involves?: unknown },
  setBy: ReadonlyMap<string, string>,
): Problem {
  const variable = setBy.get(where)
  const shown = value === undefined ? {} : { value }
  void rest
  if (variable === undefined) return { where, ...shown, rule, cure }
  return {
    where: `${variable} (${where})`,
    ...shown,
    rule,
    cure: `Correct or unset the environment variable ${variable}.`,
  }
}

function toHostConfig(options: ParsedOptions, context: CompileContext): HostConfig {
  const at = (path: string): string => resolve(context.baseDir, path)
  const { api, docker, runs, spawn, provider, sweep, mailbox, limits, shutdown, log } = options
  return {
    dataDir: at(options.dataDir),
    timeZone: options.timeZone,
    api: {
      host: api.host,
      port: api.port,
      maxBodyBytes: api.maxBody,
      requestsPerSecond: api.requestsPerSecond,
      allowedHosts: api.allowedHosts,
    },
    groups: new Map(
      Object.entries(options.groups).map(([name, group]) => [name, compileGroup(name, group, options, context)]),
    ),
    sinks: new Map(
      Object.entries(options.sinks).map(([name, sink]) => [
        name,
        {
          name,
          url: sink.url,
          secret: sink.secret === undefined ? null : secretValue(sink.secret, context.env),
          timeoutMs: sink.timeout,
          maxAttempts: sink.maxAttempts,
          baseMs: sink.base,
          maxMs: sink.max,
          concurrency: sink.concurrency,
        },
      ]),
    ),
    mounts: { roots: options.mounts.roots.map(({ path, writable }) => ({ path: at(path), writable })) },
    docker: { socketPath: docker.socketPath ?? null, callTimeoutMs: docker.callTimeout, node: docker.node },
    runs: {
      max: runs.max,
      maxStarting: runs.maxStarting ?? Math.min(4, runs.max),
      stopGraceMs: runs.stopGrace,
      killWaitMs: runs.killWait,
      cancelGraceMs: runs.cancelGrace,
    },
    defaults: {
      stuck: stuckOf({ tools: {} }, options.stuck),
      retry: retryOf({}, options.retry),
      idleStopMs: runs.idleStop,
      retention: retentionPolicyOf(null, options, context),
    },
    cleaning: cleaningOf(options.cleaning),
    spawn: { baseMs: spawn.base, maxMs: spawn.max, tellAfter: spawn.tellAfter },
    provider: {
      maxParkMs: provider.maxPark,
      waitMs: provider.wait,
      maxWaitMs: provider.maxWait,
      ramp: provider.ramp,
      openFrom: runs.max,
    },
    sweep: { intervalMs: sweep.interval, concurrency: sweep.concurrency },
    mailbox: {
      windowMessages: mailbox.windowMessages,
      windowBytes: mailbox.window,
      takeRows: mailbox.takeRows,
      takeBytes: mailbox.take,
      readTimeoutMs: mailbox.readTimeout,
      readers: mailbox.readers,
      pollMs: mailbox.poll,
    },
    limits: { textBytes: limits.text, diskFloorBytes: limits.diskFloor },
    shutdown: { drainMs: shutdown.drain },
    log: { level: log.level },
  }
}
