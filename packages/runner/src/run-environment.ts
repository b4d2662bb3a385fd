import { isAbsolute } from 'node:path'
import { RUN_ENV } from '@sessiond/protocol'
import { RunnerError } from './errors.ts'

/** What the host tells a run about itself. */
export interface RunEnvironment {
  readonly inDir: string
  readonly outDir: string
  readonly workDir: string
  /** `<group>/<session>`. */
  readonly session: string
  readonly epoch: number
  /** JSON of the agent specification; null when the group brings its own runner. */
  readonly agentJson: string | null
}

/** Reads the variables of RUN_ENV; throws BAD_CONFIGURATION naming the first one that is unusable. */
export function readRunEnvironment(variables: Readonly<Record<string, string | undefined>>): RunEnvironment {
  return {
    inDir: pathFrom(variables, RUN_ENV.in),
    outDir: pathFrom(variables, RUN_ENV.out),
    workDir: pathFrom(variables, RUN_ENV.work),
    session: textFrom(variables, RUN_ENV.session),
    epoch: epochFrom(variables),
    agentJson: variables[RUN_ENV.agent] ?? null,
  }
}

function textFrom(variables: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = variables[name]
  if (value === undefined || value === '') {
    throw new RunnerError('BAD_CONFIGURATION', `${name} is not set: this program is started by a sessiond host`)
  }
  return value
}

function pathFrom(variables: Readonly<Record<string, string | undefined>>, name: string): string {
  const path = textFrom(variables, name)
  if (!isAbsolute(path)) throw new RunnerError('BAD_CONFIGURATION', `${name} must be an absolute path, not "${path}"`)
  return path
}

function epochFrom(variables: Readonly<Record<string, string | undefined>>): number {
  const text = textFrom(variables, RUN_ENV.epoch)
  const epoch = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
  if (epoch === undefined) {
    throw new RunnerError('BAD_CONFIGURATION', `${RUN_ENV.epoch} must be a positive integer, not "${text}"`)
  }
  return epoch
}
