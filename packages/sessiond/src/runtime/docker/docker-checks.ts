import { access } from 'node:fs/promises'
import { checkOne } from '../check-one.ts'
import type { Check, RuntimeGroupCheck } from '../runtime.ts'
import { imageMissing } from './create-error.ts'
import type { Engine } from './engine.ts'
import { mountedNode } from './mounted-node.ts'
import { dockerRunUser } from './run-user.ts'

export interface DockerChecks {
  readonly engine: Engine
  readonly groups: readonly RuntimeGroupCheck[]
  readonly node: 'mounted' | 'image'
  readonly runnerPath: () => string
}

/** Doctor's checks of the docker runtime: engine, runner, Node and each group's image. Never throws. */
export async function checkDockerRuntime(checks: DockerChecks): Promise<Check[]> {
  const engine = await checkOne('container engine', 'Start it, or check docker.socketPath.', () => askVersion(checks))
  return [
    engine,
    await checkOne('bundled runner', 'Run `npm run build`.', async () => {
      const path = checks.runnerPath()
      await access(path)
      return path
    }),
    await checkOne("containers' Node", "Use images with Node 24 and set docker.node to 'image'.", async () => {
      if (checks.node === 'image') return "the image's own"
      const { mounts } = await mountedNode()
      return `this host's ${process.version}, mounted (${mounts.length} files)`
    }),
    // Without an engine nothing can be said of images.
    ...(engine.ok ? await Promise.all(checks.groups.map((group) => checkImage(checks.engine, group))) : []),
  ]
}

async function askVersion({ engine }: DockerChecks): Promise<string> {
  const version = await engine.call('tell its version', (docker) => docker.version())
  const { uid, gid } = dockerRunUser(null)
  return `version ${version.Version}, API ${version.ApiVersion}; runs get user ${uid}:${gid} unless configured`
}

function checkImage(engine: Engine, { group, image }: RuntimeGroupCheck): Promise<Check> {
  return checkOne(`image of group ${group}`, `Pull, build or import ${image}.`, async () => {
    const found = await engine.askExpecting(`find image ${image}`, [404], (docker) =>
      docker.getImage(image ?? '').inspect(),
    )
    if (found === undefined) throw imageMissing(image, group)
    return `${image} (${found.Id.slice(0, 19)}, ${found.Os}/${found.Architecture})`
  })
}
