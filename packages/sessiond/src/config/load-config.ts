import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { SessiondError } from '../model/errors.ts'
import { compileConfig } from './compile-config.ts'
import type { HostConfig } from './config.ts'
import type { Environment } from './environment.ts'
import { type HostOptions, OPTIONS_MODULE } from './options.ts'

/** The names a configuration may have, all equal: two of them in one folder are an error. */
export const CONFIG_FILES = ['sessiond.config.ts', 'sessiond.config.mjs', 'sessiond.config.json'] as const

export interface LoadContext {
  readonly cwd: string
  readonly env: Environment
  /** False: variables named by `fromEnv` may be missing. For commands that start no run. @default true */
  readonly needsSecrets?: boolean
}

export interface LoadedConfig {
  /** Absolute path of the file. */
  readonly file: string
  readonly config: HostConfig
}

/**
 * Loads the configuration named by `path`, else by SESSIOND_CONFIG, else the only one in the working directory.
 * Throws CONFIG_NOT_FOUND, or CONFIG_INVALID when it cannot be read or is wrong.
 */
export async function loadConfig(path: string | undefined, context: LoadContext): Promise<LoadedConfig> {
  const file = findConfigFile(path, context)
  const options = await readOptions(file)
  const { env, needsSecrets = true } = context
  return { file, config: compileConfig(options, { env, baseDir: dirname(file), source: file, needsSecrets }) }
}

/** Finds the configuration file without reading it; throws CONFIG_NOT_FOUND, or CONFIG_INVALID when there are two. */
export function findConfigFile(path: string | undefined, { cwd, env }: LoadContext): string {
  const named = path ?? (env.SESSIOND_CONFIG || undefined)
  if (named !== undefined) {
    const file = resolve(cwd, named)
    if (existsSync(file)) return file
    throw new SessiondError('CONFIG_NOT_FOUND', `There is no configuration file ${file}.`, { fields: { file } })
  }
  const found = CONFIG_FILES.map((name) => resolve(cwd, name)).filter((file) => existsSync(file))
  const [file, second] = found
  if (file === undefined) {
    throw new SessiondError('CONFIG_NOT_FOUND', `There is no sessiond.config.ts, .mjs or .json in ${cwd}.`)
  }
  if (second === undefined) return file
  throw new SessiondError('CONFIG_INVALID', `There is more than one configuration: ${found.join(', ')}.`, {
    cure: 'Keep one, or name one with --config.',
  })
}

async function readOptions(file: string): Promise<HostOptions> {
  try {
    if (file.endsWith('.json')) return JSON.parse(await readFile(file, 'utf8')) as HostOptions
    return await importOptions(file)
  } catch (cause) {
    if (cause instanceof SessiondError) throw cause
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new SessiondError('CONFIG_INVALID', `The configuration ${file} cannot be read: ${what}.`, {
      cause,
      cure: 'Correct the file; `sessiond init` writes one that works.',
    })
  }
}

const MAX_LOAD_MS = 30_000

/** An await at its top that never settles would otherwise end the process in silence. */
async function settled<T>(loading: Promise<T>, file: string): Promise<T> {
  const timer = new AbortController()
  const late = sleep(MAX_LOAD_MS, undefined, { signal: timer.signal }).then(() => {
    throw new SessiondError(
      'CONFIG_INVALID',
      `The configuration ${file} is not loaded after ${MAX_LOAD_MS / 1000} s.`,
      {
        cure: 'Look for an await at its top level that never settles.',
      },
    )
  })
  try {
    return await Promise.race([loading, late])
  } finally {
    timer.abort()
    late.catch(() => {})
  }
}

async function importOptions(file: string): Promise<HostOptions> {
  const { href } = pathToFileURL(file)
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      // Also where sessiond is not installed beside the file.
      if (specifier === 'sessiond') return { url: OPTIONS_MODULE, shortCircuit: true }
      const resolved = next(specifier, context)
      // A module whatever the package around it says: else Node guesses, and warns that it had to.
      return resolved.url === href && file.endsWith('.ts') ? { ...resolved, format: 'module-typescript' } : resolved
    },
  })
  try {
    const loaded = await settled<{ readonly default?: HostOptions }>(import(href), file)
    if (loaded.default !== undefined) return loaded.default
  } finally {
    hooks.deregister()
  }
  throw new SessiondError('CONFIG_INVALID', `The configuration ${file} has no default export.`, {
    cure: 'Write it as `export default defineConfig({ … })`.',
  })
}
