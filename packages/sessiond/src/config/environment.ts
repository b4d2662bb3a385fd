import { RUN_ENV } from '@sessiond/protocol'
import type { Problem } from './problem.ts'
import { suggest } from './suggest.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Environment variables that override the configuration file, with the option each sets. */
export const ENVIRONMENT_OVERRIDES = {
  SESSIOND_DATA_DIR: 'dataDir',
  SESSIOND_TIME_ZONE: 'timeZone',
  SESSIOND_API_HOST: 'api.host',
  SESSIOND_API_PORT: 'api.port',
  SESSIOND_API_MAX_BODY: 'api.maxBody',
  SESSIOND_DOCKER_SOCKET: 'docker.socketPath',
  SESSIOND_RUNS_MAX: 'runs.max',
  SESSIOND_RUNS_MAX_STARTING: 'runs.maxStarting',
  SESSIOND_RUNS_STOP_GRACE: 'runs.stopGrace',
  SESSIOND_RUNS_IDLE_STOP: 'runs.idleStop',
  SESSIOND_SWEEP_INTERVAL: 'sweep.interval',
  SESSIOND_CLEANING_EVERY: 'cleaning.every',
  SESSIOND_CLEANING_BUDGET: 'cleaning.budget',
  SESSIOND_LIMITS_TEXT: 'limits.text',
  SESSIOND_LIMITS_DISK_FLOOR: 'limits.diskFloor',
  SESSIOND_SHUTDOWN_DRAIN: 'shutdown.drain',
  SESSIOND_SHUTDOWN_STOP_TIMEOUT: 'shutdown.stopTimeout',
  SESSIOND_LOG_LEVEL: 'log.level',
} as const

/** Read by the CLI, not by the configuration. */
export const OTHER_VARIABLES: readonly string[] = ['SESSIOND_CONFIG', ...Object.values(RUN_ENV)]

export interface Overridden {
  readonly options: unknown
  /** Option path -> the variable that set it. */
  readonly setBy: ReadonlyMap<string, string>
  readonly problems: readonly Problem[]
}

/** Lays the environment over the options; an empty variable counts as unset, a misspelt one is a problem. */
export function applyEnvironment(options: unknown, env: Environment): Overridden {
  const setBy = new Map<string, string>()
  let result = options
  for (const [variable, path] of Object.entries(ENVIRONMENT_OVERRIDES)) {
    const value = env[variable]
    if (value === undefined || value === '') continue
    result = withValue(result, path.split('.'), readValue(path, value))
    setBy.set(path, variable)
  }
  return { options: result, setBy, problems: misspelt(env) }
}

const TEXT_OPTIONS: readonly string[] = ['dataDir', 'timeZone', 'api.host', 'docker.socketPath', 'log.level']

function readValue(path: string, value: string): string | number {
  return /^\d{1,15}$/.test(value) && !TEXT_OPTIONS.includes(path) ? Number(value) : value
}

function withValue(options: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value
  // A configuration that is no object is reported as such later; nothing can be laid over it.
  if (options !== undefined && (typeof options !== 'object' || options === null || Array.isArray(options)))
    return options
  const object = (options ?? {}) as Readonly<Record<string, unknown>>
  return { ...object, [key]: withValue(object[key], rest, value) }
}

function misspelt(env: Environment): Problem[] {
  const known = Object.keys(ENVIRONMENT_OVERRIDES)
  return Object.keys(env)
    .filter((name) => name.startsWith('SESSIOND_') && !known.includes(name) && !OTHER_VARIABLES.includes(name))
    .flatMap((name) => {
      // Other programs may use the prefix: only what is nearly ours is taken for a slip.
      const meant = suggest(
        name.slice('SESSIOND_'.length),
        known.map((each) => each.slice('SESSIOND_'.length)),
      )
      if (meant === undefined) return []
      return [{ where: name, rule: 'is no variable sessiond reads', cure: `Did you mean SESSIOND_${meant}?` }]
    })
}
