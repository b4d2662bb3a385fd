import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { NamedPolicy } from '../backtest/backtest.ts'
import { compileConfig } from '../config/compile-config.ts'
import { DEFAULT_STUCK } from '../config/default-stuck.ts'
import type { HostOptions } from '../config/options.ts'
import { SessiondError } from '../model/errors.ts'

/** Policies that need no file. */
const BUILT_IN: Readonly<Record<string, NamedPolicy>> = {
  default: { name: 'default', policy: DEFAULT_STUCK },
  classic: { name: 'classic', policy: { ...DEFAULT_STUCK, policy: 'classic' } },
}

/**
 * A policy by its name, or of a JSON file with what stands under `stuck` in a configuration. Throws CONFIG_INVALID,
 * naming every option that is wrong.
 */
export async function readPolicy(nameOrFile: string, cwd: string): Promise<NamedPolicy> {
  if (Object.hasOwn(BUILT_IN, nameOrFile)) return BUILT_IN[nameOrFile] as NamedPolicy
  const stuck = await readJson(resolve(cwd, nameOrFile))
  // One that stands alone is checked as it would be in a configuration.
  const options = { groups: { any: { agent: { command: ['any'] }, stuck: {} } }, stuck } as HostOptions
  const { defaults } = compileConfig(options, { env: {}, baseDir: cwd, source: nameOrFile })
  return { name: basename(nameOrFile, '.json'), policy: defaults.stuck }
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new SessiondError('CONFIG_INVALID', `The policy ${file} cannot be read: ${what}.`, {
      cause,
      cure: 'Give \'default\', \'classic\', or a JSON file with what stands under stuck, such as {"silent": "2m"}.',
    })
  }
}
