import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildRunSpec } from '../../../testkit/src/build-run-spec.ts'
import type { RuntimeHarness } from '../../../testkit/src/exercise-runtime.ts'
import { FIXTURES_DIR } from '../../../testkit/src/fixtures.ts'
import { TEST_IMAGE } from '../../../testkit/src/test-image.ts'
import { DockerRuntime, type DockerRuntimeOptions } from '../../src/runtime/docker/docker-runtime.ts'
import { realWorld } from '../../src/world.ts'
import { dockerResources } from './docker-resources.ts'
import { endAllRuns } from './end-all-runs.ts'
import type { RuntimeHostOptions } from './runtime-host.ts'

/** Where fixture programs stand in a test's containers. */
const FIXTURES = '/fixtures'

/** A docker runtime on the real engine with an install of its own. */
export async function dockerHarness(changes: Partial<DockerRuntimeOptions> = {}): Promise<RuntimeHarness> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'docker-runtime-')))
  const installId = realWorld.newId('install-')
  const runnerPath = join(FIXTURES_DIR, 'says-its-node.mjs')
  const opened: DockerRuntime[] = []
  const open = (id: string, more: Partial<DockerRuntimeOptions> = {}) => {
    const base = { world: realWorld, installId: id, socketPath: null, callTimeoutMs: 20_000, runnerPath }
    const runtime = new DockerRuntime({ ...base, node: 'mounted', ...changes, ...more })
    opened.push(runtime)
    return runtime
  }
  const runtime = open(installId)
  const options: RuntimeHostOptions = { kind: 'docker', installId, dataDir: root, runnerPath }
  const resources = dockerResources()
  const deaf = open(installId, { socketPath: join(root, 'nobody-listens.sock') })
  return {
    installId,
    runtime,
    reopen: (id = installId) => open(id),
    unreachable: { runtime: deaf, handle: { runtime: 'docker', id: 'f'.repeat(64) } },
    specOf: (fixture, more) =>
      buildRunSpec(
        {
          root,
          installId,
          name: realWorld.newId('sessiond-test-'),
          user: runtime.userOf(null),
          runnerCommand: ['/bin/sh', `${FIXTURES}/${fixture}.sh`],
        },
        {
          image: TEST_IMAGE.busybox,
          mounts: [{ source: FIXTURES_DIR, target: FIXTURES, writable: false }],
          ...more,
        },
      ),
    host: { program: fileURLToPath(new URL('./runtime-host.ts', import.meta.url)), options },
    baseVariables: ['PATH', 'HOME', 'HOSTNAME'],
    resources,
    dispose: async () => {
      await endAllRuns(open(installId))
      await resources.removeAll()
      for (const one of opened) await one.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}
