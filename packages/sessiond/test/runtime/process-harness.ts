import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildRunSpec } from '../../../testkit/src/build-run-spec.ts'
import type { RuntimeHarness } from '../../../testkit/src/exercise-runtime.ts'
import { FIXTURES_DIR } from '../../../testkit/src/fixtures.ts'
import { ProcessRuntime } from '../../src/runtime/process/process-runtime.ts'
import { realWorld } from '../../src/world.ts'
import { endAllRuns } from './end-all-runs.ts'
import type { RuntimeHostOptions } from './runtime-host.ts'

const RUNNER = join(FIXTURES_DIR, 'says-its-node.mjs')

/** A process runtime on an empty data directory. */
export async function processHarness(): Promise<RuntimeHarness & { readonly root: string }> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'process-runtime-')))
  const installId = realWorld.newId('install-')
  const opened: ProcessRuntime[] = []
  const open = (id: string) => {
    const runtime = new ProcessRuntime({
      world: realWorld,
      installId: id,
      dataDir: root,
      hostEnvironment: process.env,
      runnerPath: RUNNER,
    })
    opened.push(runtime)
    return runtime
  }
  const options: RuntimeHostOptions = { kind: 'process', installId, dataDir: root, runnerPath: RUNNER }
  return {
    root,
    installId,
    runtime: open(installId),
    reopen: (id = installId) => open(id),
    unreachable: null,
    specOf: (fixture, changes) => {
      const runnerCommand = ['/bin/sh', join(FIXTURES_DIR, `${fixture}.sh`)]
      return buildRunSpec({ root, installId, name: realWorld.newId('run-'), user: null, runnerCommand }, changes)
    },
    host: { program: fileURLToPath(new URL('./runtime-host.ts', import.meta.url)), options },
    baseVariables: ['PATH', 'HOME', 'LANG', 'TZ'],
    resources: null,
    dispose: async () => {
      await endAllRuns(open(installId))
      for (const runtime of opened) await runtime.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}
