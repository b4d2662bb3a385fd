import { ensureTestImages, TEST_IMAGE } from '../../testkit/src/test-image.ts'
import { Engine } from '../src/runtime/docker/engine.ts'
import { installFilter, LABEL } from '../src/runtime/docker/labels.ts'
import { machineMs } from './clock.ts'

const CALL_TIMEOUT_MS = 60_000

/** Containers without sessiond, for comparison. */
export class BareContainers {
  readonly image: string = TEST_IMAGE.node
  readonly #engine = new Engine({ socketPath: null, callTimeoutMs: CALL_TIMEOUT_MS })

  /** Builds the image; or says why there can be no containers here. */
  static async prepare(): Promise<BareContainers | string> {
    if (process.platform !== 'linux') return 'the image is made of Linux files'
    const containers = new BareContainers()
    try {
      await containers.#engine.call('answer', (docker) => docker.ping())
      await ensureTestImages()
      return containers
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** Creates a container, starts it, waits for its exit and answers how long that took; then removes it. */
  runOnce(command: readonly string[]): Promise<number> {
    return this.#engine.call('run a bare container', async (docker) => {
      const startedMs = machineMs()
      const container = await docker.createContainer({
        Image: this.image,
        Cmd: [...command],
        HostConfig: { NetworkMode: 'none' },
      })
      try {
        await container.start()
        await container.wait()
        return machineMs() - startedMs
      } finally {
        await container.remove({ force: true })
      }
    })
  }

  /** Leaves containers that look like an earlier host's runs, made some at a time. */
  async leave(installId: string, count: number, isRunning: boolean): Promise<void> {
    let made = 0
    const makeSome = async () => {
      while (made < count) {
        made += 1
        await this.#leaveOne(installId, `bench-${installId}-${made}`, isRunning)
      }
    }
    await Promise.all(Array.from({ length: 8 }, makeSome))
  }

  #leaveOne(installId: string, name: string, isRunning: boolean): Promise<void> {
    const labels = { [LABEL.install]: installId, [LABEL.run]: name, [LABEL.session]: 'bench/s', [LABEL.epoch]: '1' }
    return this.#engine.call('leave a container', async (docker) => {
      const HostConfig = { NetworkMode: 'none' }
      const container = await docker.createContainer({
        name,
        Image: this.image,
        Cmd: ['sleep', '600'],
        Labels: labels,
        HostConfig,
      })
      if (isRunning) await container.start()
    })
  }
}

/** Removes what a killed host has left on the engine. */
export async function removeContainersOf(installId: string): Promise<void> {
  const engine = new Engine({ socketPath: null, callTimeoutMs: CALL_TIMEOUT_MS })
  await engine.call('remove leftover containers', async (docker) => {
    const found = await docker.listContainers({ all: true, filters: { label: installFilter(installId) } })
    await Promise.all(found.map(({ Id }) => docker.getContainer(Id).remove({ force: true })))
  })
}
