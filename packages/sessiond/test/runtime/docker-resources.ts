import type { ResourceMaker } from '../../../testkit/src/exercise-runtime.ts'
import { TEST_IMAGE } from '../../../testkit/src/test-image.ts'
import { Engine } from '../../src/runtime/docker/engine.ts'
import { realWorld } from '../../src/world.ts'

/** Volumes, networks and containers made on the side, without a runtime of ours. */
export interface DockerResources extends ResourceMaker {
  use(volume: string, network: string, labels?: Readonly<Record<string, string>>): ReturnType<ResourceMaker['use']>
  removeAll(): Promise<void>
}

export function dockerResources(): DockerResources {
  const engine = new Engine({ socketPath: null, callTimeoutMs: 20_000 })
  const containers: string[] = []
  const made: { readonly kind: 'volume' | 'network'; readonly name: string }[] = []

  function inspect(kind: 'volume' | 'network', name: string) {
    return engine.askExpecting<unknown>(`find a ${kind}`, [404], (docker) =>
      kind === 'volume' ? docker.getVolume(name).inspect() : docker.getNetwork(name).inspect(),
    )
  }

  async function removeContainer(id: string): Promise<void> {
    await engine.askExpecting('remove a container', [404], (docker) =>
      docker.getContainer(id).remove({ force: true, v: true }),
    )
  }

  return {
    async make(kind, labels) {
      const name = realWorld.newId('sessiond-test-')
      made.push({ kind, name })
      await engine.call(`make a ${kind}`, async (docker) => {
        if (kind === 'volume') await docker.createVolume({ Name: name, Labels: { ...labels } })
        else await docker.createNetwork({ Name: name, Labels: { ...labels }, Driver: 'bridge', Internal: true })
      })
      return name
    },
    async use(volume, network, labels = {}) {
      const id = await engine.call('create a container', async (docker) => {
        const { id } = await docker.createContainer({
          Image: TEST_IMAGE.busybox,
          Labels: { ...labels },
          Cmd: ['sleep', '600'],
          HostConfig: { NetworkMode: network, Mounts: [{ Type: 'volume', Source: volume, Target: '/mnt' }] },
        })
        return id
      })
      containers.push(id)
      return {
        id,
        start: () => engine.call('start it', async (docker) => void (await docker.getContainer(id).start())),
        end: () => engine.call('end it', async (docker) => void (await docker.getContainer(id).kill())),
        remove: () => removeContainer(id),
      }
    },
    exists: async (kind, name) => (await inspect(kind, name)) !== undefined,
    async removeAll() {
      for (const id of containers.splice(0)) await removeContainer(id)
      for (const { kind, name } of made.splice(0)) {
        await engine.askExpecting<unknown>(`remove a ${kind}`, [404], (docker) =>
          kind === 'volume' ? docker.getVolume(name).remove() : docker.getNetwork(name).remove(),
        )
      }
    },
  }
}
