import type { HostConfig } from '../config/config.ts'
import type { FoundResource, FoundRun, Runtime } from '../runtime/runtime.ts'
import type { StoreReader } from '../store/store.ts'

/** What tells a leftover from what is somebody's. */
export interface LeftoverSearch {
  /** Names of the runs that are live; asked after the runtime has listed what there is. */
  readonly readLiveRuns: () => Promise<ReadonlySet<string>>
  /** Names of networks that stay although nothing uses them right now. */
  readonly networksInUse: ReadonlySet<string>
}

/** What a runtime has of this install that nobody knows. */
export interface FoundLeftovers {
  readonly runs: readonly FoundRun[]
  /** Volumes and networks that nothing uses, or only runs that are leftovers themselves. */
  readonly resources: readonly FoundResource[]
}

/** The search by what a configuration names and a store has on record. */
export function searchBy(config: Pick<HostConfig, 'groups'>, store: Pick<StoreReader, 'listLiveRuns'>): LeftoverSearch {
  return {
    readLiveRuns: async () => new Set((await store.listLiveRuns()).map((run) => run.name)),
    networksInUse: new Set([...config.groups.values()].map((group) => group.network)),
  }
}

/** Finds what carries this install's label but belongs to no live run. Throws RUNTIME_UNREACHABLE. */
export async function findLeftovers(
  runtime: Pick<Runtime, 'list' | 'listResources'>,
  { readLiveRuns, networksInUse }: LeftoverSearch,
): Promise<FoundLeftovers> {
  // List first, then read the live runs: a run is recorded before its container exists, so none is missed this way.
  const [found, all] = await Promise.all([runtime.list(), runtime.listResources()])
  const live = await readLiveRuns()
  const runs = found.filter((run) => !live.has(run.name))
  const ids = new Set(runs.map(({ handle }) => handle.id))
  const resources = all.filter(({ kind, name, runName, usedBy }) => {
    if (runName !== null && live.has(runName)) return false
    if (kind === 'network' && networksInUse.has(name)) return false
    return usedBy.every((id) => ids.has(id))
  })
  return { runs, resources }
}
