import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { compileConfig } from '../config/compile-config.ts'
import type { HostConfig } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import { hasCode } from '../model/errors.ts'
import type { CliContext, CommonOptions } from './cli-context.ts'
import { EXAMPLE_DIR, EXAMPLE_OPTIONS } from './example-options.ts'

export interface FoundConfig {
  readonly config: HostConfig
  /** What it came from, in words. */
  readonly source: string
}

/**
 * The configuration the user means: the one named, else the working directory's, else the example's when
 * `up --example` has run here. Secrets may be missing, because only the host itself needs them.
 */
export async function findConfig(options: CommonOptions, context: CliContext): Promise<FoundConfig> {
  try {
    const { file, config } = await loadConfig(options.config, { ...context, needsSecrets: false })
    return { config, source: file }
  } catch (error) {
    if (options.config !== undefined || context.env.SESSIOND_CONFIG || !hasCode(error, 'CONFIG_NOT_FOUND')) throw error
    if (!existsSync(resolve(context.cwd, EXAMPLE_DIR))) throw error
    return exampleConfig(context)
  }
}

/** The built-in example, with the environment laid over it. */
export function exampleConfig(context: CliContext): FoundConfig {
  const source = 'of the built-in example'
  return { source, config: compileConfig(EXAMPLE_OPTIONS, { env: context.env, baseDir: context.cwd, source }) }
}
