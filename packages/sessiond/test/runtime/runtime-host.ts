// A host process reduced to its runtime: creates one run, starts it if told so, prints its handle and waits.
import type { RuntimeHostJob } from '../../../testkit/src/spawn-runtime-host.ts'
import { DockerRuntime } from '../../src/runtime/docker/docker-runtime.ts'
import { ProcessRuntime } from '../../src/runtime/process/process-runtime.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { realWorld } from '../../src/world.ts'

/** Which runtime to build, and on what. */
export interface RuntimeHostOptions {
  readonly kind: 'process' | 'docker'
  readonly installId: string
  readonly dataDir: string
  readonly runnerPath: string
}

const { options, spec, isStarted } = JSON.parse(process.argv[2] ?? '') as RuntimeHostJob
const runtime = build(options as RuntimeHostOptions)
const handle = await runtime.create(spec)
if (isStarted) await runtime.start(handle)
console.log(JSON.stringify(handle))
setInterval(() => {}, 60_000)

function build({ kind, installId, dataDir, runnerPath }: RuntimeHostOptions): Runtime {
  const common = { world: realWorld, installId, runnerPath }
  if (kind === 'process') return new ProcessRuntime({ ...common, dataDir, hostEnvironment: process.env })
  return new DockerRuntime({ ...common, socketPath: null, callTimeoutMs: 20_000, node: 'mounted' })
}
