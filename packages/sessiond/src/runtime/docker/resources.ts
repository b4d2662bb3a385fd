import type { ContainerInfo } from 'dockerode'
import type { FoundResource } from '../runtime.ts'
import type { Engine } from './engine.ts'
import { statusOf } from './engine-errors.ts'
import { installFilter, isOfInstall, LABEL } from './labels.ts'

/** What engines tell of volumes and networks alike. */
interface Labelled {
  readonly Name: string
  readonly Labels?: Readonly<Record<string, string>> | null | undefined
}

/** Lists the volumes and networks that carry exactly one install's label. */
export async function listResources(engine: Engine, installId: string): Promise<FoundResource[]> {
  const filters = JSON.stringify({ label: installFilter(installId) })
  const [volumes, networks] = await Promise.all([
    engine.call('list volumes', async (docker, abortSignal) => {
      // Null, where there are none, in spite of its type.
      const { Volumes } = await docker.listVolumes({ filters, abortSignal })
      return Volumes ?? []
    }),
    engine.call('list networks', (docker, abortSignal) => docker.listNetworks({ filters, abortSignal })),
  ])
  const found = [
    ...volumes.filter(isOurs(installId)).map((volume) => foundResource('volume', volume.Name, volume)),
    ...networks.filter(isOurs(installId)).map((network) => foundResource('network', network.Id, network)),
  ]
  if (found.length === 0) return []
  const containers = await listAllContainers(engine)
  return found.map((resource) => ({ ...resource, usedBy: usersOf(resource, containers) }))
}

/** Removes one that no container uses, running or at rest; the engine has the last word on that. */
export async function removeResource(engine: Engine, resource: FoundResource): Promise<'removed' | 'in-use'> {
  if (resource.kind === 'network' && (await isNetworkWanted(engine, resource))) return 'in-use'
  const isRefused = await engine.call(`remove a ${resource.kind}`, async (docker, abortSignal) => {
    const { kind, id } = resource
    try {
      await (kind === 'volume' ? docker.getVolume(id) : docker.getNetwork(id)).remove({ abortSignal })
      return false
    } catch (error) {
      const status = statusOf(error)
      if (status === 404) return false
      // Docker says 403 of a network that is in use.
      if (status === 409 || status === 403) return true
      throw error
    }
  })
  return isRefused ? 'in-use' : 'removed'
}

/** Engines remove a network under a container that does not run, which then cannot start again. */
async function isNetworkWanted(engine: Engine, network: FoundResource): Promise<boolean> {
  return usersOf(network, await listAllContainers(engine)).length > 0
}

function listAllContainers(engine: Engine): Promise<ContainerInfo[]> {
  return engine.call('list all containers', (docker, abortSignal) => docker.listContainers({ all: true, abortSignal }))
}

type Named = Pick<FoundResource, 'kind' | 'id' | 'name'>

function usersOf(resource: Named, containers: readonly ContainerInfo[]): string[] {
  const uses = resource.kind === 'volume' ? mounts : joins
  return containers.filter((container) => uses(container, resource)).map(({ Id }) => Id)
}

function mounts({ Mounts }: ContainerInfo, { name }: Named): boolean {
  // Absent, where there are none, in spite of its type.
  return (Mounts ?? []).some((mount) => mount.Name === name)
}

function joins({ HostConfig, NetworkSettings }: ContainerInfo, { id, name }: Named): boolean {
  const named = [HostConfig?.NetworkMode, ...Object.keys(NetworkSettings?.Networks ?? {})]
  const joined = Object.values(NetworkSettings?.Networks ?? {}).map(({ NetworkID }) => NetworkID)
  return named.includes(name) || named.includes(id) || joined.includes(id)
}

function isOurs(installId: string): (found: Labelled) => boolean {
  return ({ Labels }) => isOfInstall(Labels, installId)
}

function foundResource(
  kind: FoundResource['kind'],
  id: string,
  { Name, Labels }: Labelled,
): Omit<FoundResource, 'usedBy'> {
  return { kind, id, name: Name, runName: Labels?.[LABEL.run] ?? null }
}
