import { RUN_ENV } from '@sessiond/protocol'
import type { RunSpec } from './runtime.ts'

/** Where a run finds its three directories, in its own view of the file system. */
export interface RunDirectories {
  readonly in: string
  readonly out: string
  readonly work: string
}

/**
 * Builds a run's whole environment: a base, the group's variables above it, the protocol's above both. Nothing
 * of the host's own environment gets in unless the caller put it into `base`.
 */
export function runEnvironment(
  spec: RunSpec,
  directories: RunDirectories,
  base: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...base,
    ...spec.environment,
    [RUN_ENV.in]: directories.in,
    [RUN_ENV.out]: directories.out,
    [RUN_ENV.work]: directories.work,
    [RUN_ENV.session]: spec.sessionId,
    [RUN_ENV.epoch]: String(spec.epoch),
    [RUN_ENV.run]: spec.name,
    ...(spec.agentJson === null ? {} : { [RUN_ENV.agent]: spec.agentJson }),
  }
}
