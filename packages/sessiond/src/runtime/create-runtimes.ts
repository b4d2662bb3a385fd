import type { HostConfig } from '../config/config.ts'
import type { World } from '../world.ts'
import { DockerRuntime } from './docker/docker-runtime.ts'
import { ProcessRuntime } from './process/process-runtime.ts'
import type { Runtime } from './runtime.ts'

export interface CreateRuntimesOptions {
  readonly config: HostConfig
  readonly installId: string
  readonly world: World
  /** The host's own environment: of it runs of the process runtime get PATH, LANG and TZ, and nothing else. */
  readonly hostEnvironment: Readonly<Record<string, string | undefined>>
  /**
   * Runtimes needed besides those of the configured groups: where the store knows of live runs, also of groups
   * that have left the configuration.
   */
  readonly alsoNeeded?: Iterable<string>
}

/** Builds the runtimes a configuration needs, by name. None is contacted; what no group uses is not built. */
export function createRuntimes(options: CreateRuntimesOptions): ReadonlyMap<string, Runtime> {
  const { config, installId, world, hostEnvironment, alsoNeeded = [] } = options
  const builders: Readonly<Record<string, () => Runtime>> = {
    process: () => new ProcessRuntime({ world, installId, dataDir: config.dataDir, hostEnvironment }),
    docker: () => new DockerRuntime({ world, installId, ...config.docker }),
  }
  const needed = new Set([...[...config.groups.values()].map(({ runtime }) => runtime), ...alsoNeeded])
  return new Map(Object.entries(builders).flatMap(([name, build]) => (needed.has(name) ? [[name, build()]] : [])))
}
