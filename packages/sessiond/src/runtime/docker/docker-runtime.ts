import { CONTAINER_PATHS } from '@sessiond/protocol'
import type { ContainerCreateOptions } from 'dockerode'
import type { RunProcess } from '../../model/black-box.ts'
import { SessiondError } from '../../model/errors.ts'
import type { RunHandle } from '../../model/run.ts'
import type { World } from '../../world.ts'
import { bundledMcpPath, bundledRunnerPath, RUNNER_NODE_OPTIONS } from '../bundled-runner.ts'
import { checkMountsUnmoved } from '../check-mounts-unmoved.ts'
import { ExitListeners } from '../exit-listeners.ts'
import { lastBytes } from '../last-bytes.ts'
import type {
  ActivityTotals,
  Check,
  FoundResource,
  FoundRun,
  RunSpec,
  Runtime,
  RuntimeCapabilities,
  RuntimeGroupCheck,
  RunUser,
  SeenRun,
} from '../runtime.ts'
import { MAX_LISTED_PROCESSES } from '../runtime.ts'
import { ContainerActivity } from './activity/container-activity.ts'
import { type ContainerProgram, containerOptions } from './container-options.ts'
import { createError, startError } from './create-error.ts'
import { demuxLog } from './demux-log.ts'
import { checkDockerRuntime } from './docker-checks.ts'
import { Engine } from './engine.ts'
import { statusOf } from './engine-errors.ts'
import { ExitEvents } from './exit-events.ts'
import { installFilter } from './labels.ts'
import { mountedNode } from './mounted-node.ts'
import { findOwnContainer, isOwnContainer, type OwnContainer } from './own-container.ts'
import { parseTop, TOP_ARGS } from './parse-top.ts'
import { listResources, removeResource } from './resources.ts'
import { dockerRunUser } from './run-user.ts'
import { foundContainer, seenContainer } from './seen-container.ts'

const NAME = 'docker'

/** What a program that is a path must be found at; names are looked up by the container itself. */
const ABSOLUTE = /^\//

export interface DockerRuntimeOptions {
  readonly world: World
  readonly installId: string
  /** Null: DOCKER_HOST, else the engine's usual socket. */
  readonly socketPath: string | null
  readonly callTimeoutMs: number
  /** `mounted`: bring this host's Node into the container; `image`: use the image's. */
  readonly node: 'mounted' | 'image'
  /** @default the runner that comes with sessiond */
  readonly runnerPath?: string
  /** Tells what this host itself runs in. @default looks at this process */
  readonly findOwnContainer?: () => Promise<OwnContainer>
}

/** Runs as containers of Docker, or of Podman through the same API. Contacts the engine only when asked something. */
export class DockerRuntime implements Runtime {
  readonly name = NAME
  readonly capabilities: RuntimeCapabilities = {
    exitEvents: true,
    isolation: true,
    exitAfterHostRestart: true,
    limits: ['memoryBytes', 'processes', 'cpus', 'fileBytes', 'logBytes'],
    // Of containers on this very machine; elsewhere they run in a virtual one.
    activity: process.platform === 'linux',
  }
  readonly #options: DockerRuntimeOptions
  readonly #engine: Engine
  readonly #listeners = new ExitListeners()
  readonly #events: ExitEvents
  readonly #activity: ContainerActivity
  /** Created by this process and not yet told to start: known not to have run. */
  readonly #fresh = new Set<string>()
  #hasInit: Promise<boolean> | undefined
  #own: Promise<OwnContainer> | undefined

  constructor(options: DockerRuntimeOptions) {
    this.#options = options
    this.#engine = new Engine(options)
    this.#activity = new ContainerActivity({ world: options.world, engine: this.#engine })
    this.#events = new ExitEvents({
      world: options.world,
      engine: this.#engine,
      installId: options.installId,
      list: () => this.list(),
      inspect: (id) => this.inspect({ runtime: NAME, id }),
      onExit: (runName) => this.#listeners.emit(runName),
    })
  }

  get interruptions(): number {
    return this.#events.interruptions
  }

  userOf(configured: RunUser | null): RunUser {
    return dockerRunUser(configured)
  }

  async create(spec: RunSpec): Promise<RunHandle> {
    await checkMountsUnmoved(spec.mounts)
    const program = await this.#programOf(spec)
    const plan = { spec, program, user: dockerRunUser(spec.user), hasInit: await this.#asksForInit() }
    const id = await this.#createContainer(spec, containerOptions(plan))
    const handle = { runtime: NAME, id }
    await this.#checkProgram(spec, handle)
    this.#fresh.add(id)
    return handle
  }

  async start(handle: RunHandle): Promise<void> {
    // The engine would run an exited container once more.
    if (!this.#fresh.delete(handle.id)) {
      const seen = await this.#look(handle.id)
      if (seen.state === 'running') return
      if (seen.state !== 'created') {
        throw new SessiondError('RUNTIME_REFUSED', `Run ${handle.id} cannot be started: it is ${seen.state}.`)
      }
    }
    await this.#engine.call(
      'start a run',
      (docker, abortSignal) => docker.getContainer(handle.id).start({ abortSignal }),
      startError,
    )
  }

  async inspect(handle: RunHandle): Promise<SeenRun> {
    try {
      return await this.#look(handle.id)
    } catch (error) {
      return { state: 'unknown', because: error instanceof Error ? error.message : String(error) }
    }
  }

  async signal(handle: RunHandle, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#refuseOwn(handle)
    await this.#engine.askExpecting('signal a run', [404, 409], async (docker, abortSignal) => {
      await docker.getContainer(handle.id).kill({ signal, abortSignal })
    })
  }

  async remove(handle: RunHandle): Promise<void> {
    await this.#refuseOwn(handle)
    // `v`: with the volumes its image declared, which nobody else can know of. Without `force` the engine itself refuses
    // one that runs.
    const isAnswered = await this.#engine.call('remove a container', async (docker, abortSignal) => {
      try {
        await docker.getContainer(handle.id).remove({ force: false, v: true, abortSignal })
        return true
      } catch (error) {
        if (statusOf(error) === 409) return false
        if (statusOf(error) === 404) return true
        throw error
      }
    })
    if (!isAnswered) await this.#explainConflict(handle)
    this.#fresh.delete(handle.id)
    this.#activity.forget(handle.id)
  }

  async readLog(handle: RunHandle, maxBytes: number): Promise<string> {
    // The engine counts lines, not bytes; it keeps no more than the log's bound of them.
    const query = { stdout: true, stderr: true, follow: false, tail: Math.max(maxBytes, 1) } as const
    const framed = await this.#engine.askExpecting('read a log', [404], (docker, abortSignal) =>
      docker.getContainer(handle.id).logs({ ...query, abortSignal }),
    )
    // The driver tells an empty log as a string.
    return Buffer.isBuffer(framed) ? lastBytes(demuxLog(framed), maxBytes) : ''
  }

  async sample(handles: readonly RunHandle[]): Promise<ReadonlyMap<string, ActivityTotals>> {
    if (!this.capabilities.activity) return new Map()
    return this.#activity.sample(handles.map(({ id }) => id))
  }

  async listProcesses(handle: RunHandle): Promise<readonly RunProcess[] | null> {
    try {
      const table: unknown = await this.#engine.call('list processes', (docker, abortSignal) =>
        docker.getContainer(handle.id).top({ ps_args: TOP_ARGS, abortSignal }),
      )
      const { Titles = [], Processes = [] } = table as { Titles?: string[]; Processes?: string[][] }
      return parseTop(Titles, Processes.slice(0, MAX_LISTED_PROCESSES))
    } catch {
      return null
    }
  }

  async list(): Promise<FoundRun[]> {
    const filters = { label: installFilter(this.#options.installId) }
    const containers = await this.#engine.call('list containers', (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    )
    const own = await this.#findOwn()
    const found = containers
      .map((container) => foundContainer(container, this.#options.installId))
      .filter((run) => run !== null && !isOwnContainer(own, run.handle.id)) as FoundRun[]
    for (const { handle, name, isRunning } of found) if (isRunning) this.#events.expect(handle.id, name)
    return found
  }

  listResources(): Promise<FoundResource[]> {
    return listResources(this.#engine, this.#options.installId)
  }

  removeResource(resource: FoundResource): Promise<'removed' | 'in-use'> {
    return removeResource(this.#engine, resource)
  }

  onExit(listener: (runName: string) => void): () => void {
    this.#events.open()
    return this.#listeners.add(listener)
  }

  check(groups: readonly RuntimeGroupCheck[]): Promise<Check[]> {
    const { node } = this.#options
    return checkDockerRuntime({ engine: this.#engine, groups, node, runnerPath: () => this.#runnerPath() })
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    this.#events.close()
  }

  async #look(id: string): Promise<SeenRun> {
    const info = await this.#engine.askExpecting('inspect a run', [404], (docker, abortSignal) =>
      docker.getContainer(id).inspect({ abortSignal }),
    )
    return info === undefined ? { state: 'gone' } : seenContainer(info)
  }

  /** A container in whose way something stood: it runs, or its removal is under way already. */
  async #explainConflict(handle: RunHandle): Promise<void> {
    const { state } = await this.#look(handle.id)
    if (state === 'gone') return
    const why = state === 'running' ? 'is still running' : `is ${state}, and the engine is busy with it`
    throw new SessiondError('RUNTIME_REFUSED', `Run ${handle.id} ${why}: it is not removed.`)
  }

  /** Whatever labels it bears, and whoever asks: ending it would end the host. */
  async #refuseOwn(handle: RunHandle): Promise<void> {
    if (!isOwnContainer(await this.#findOwn(), handle.id)) return
    throw new SessiondError('RUNTIME_REFUSED', `Container ${handle.id} is the one this host runs in: it is left alone.`)
  }

  #findOwn(): Promise<OwnContainer> {
    this.#own ??= (this.#options.findOwnContainer ?? findOwnContainer)()
    return this.#own
  }

  async #createContainer(spec: RunSpec, body: ContainerCreateOptions): Promise<string> {
    const container = await this.#engine.call(
      'create a container',
      // Apart from each other, or the driver puts the body into the address too, and the environment with it.
      (docker, abortSignal) =>
        docker.createContainer({ _query: { name: spec.name }, _body: body, abortSignal } as ContainerCreateOptions),
      (error) => createError(error, spec),
    )
    this.#events.expect(container.id, spec.name)
    return container.id
  }

  /** With an init in front, a program that is missing would only show as an exit code. */
  async #checkProgram(spec: RunSpec, handle: RunHandle): Promise<void> {
    const [program = ''] = spec.runnerCommand ?? []
    if (!ABSOLUTE.test(program)) return
    const found = await this.#engine.askExpecting('look for a program', [404], (docker, abortSignal) =>
      docker.getContainer(handle.id).infoArchive({ path: program, abortSignal }),
    )
    if (found !== undefined) return
    await this.remove(handle)
    throw new SessiondError('COMMAND_NOT_FOUND', `Image ${spec.image} of group ${spec.group} has no ${program}.`, {
      fields: { group: spec.group, image: spec.image, program },
    })
  }

  async #programOf(spec: RunSpec): Promise<ContainerProgram> {
    const mcpPath = bundledMcpPath()
    const mcp = mcpPath === null ? [] : [{ source: mcpPath, target: CONTAINER_PATHS.mcp, writable: false }]
    // A group's own runner brings its own Node, or has no use for an MCP server.
    const isOwn = spec.runnerCommand !== null
    const runner = isOwn ? [] : [{ source: this.#runnerPath(), target: CONTAINER_PATHS.runner, writable: false }]
    const node = isOwn || this.#options.node === 'image' ? { command: ['node'], mounts: [] } : await mountedNode()
    const started = (path: string) => [...node.command, ...RUNNER_NODE_OPTIONS, path]
    return {
      command: spec.runnerCommand ?? started(CONTAINER_PATHS.runner),
      mounts: [...node.mounts, ...runner, ...mcp],
      mcp: mcpPath === null ? null : started(CONTAINER_PATHS.mcp),
    }
  }

  /** Whether the engine can put an init in front of runs; asked once, as an engine without one refuses to start. */
  #asksForInit(): Promise<boolean> {
    this.#hasInit ??= this.#engine
      .call('tell about itself', (docker) => docker.info())
      .then((info: { InitBinary?: string; InitCommit?: { ID?: string } }) => {
        return Boolean(info.InitBinary) && info.InitCommit?.ID !== 'N/A'
      })
      .catch((error: unknown) => {
        this.#hasInit = undefined
        throw error
      })
    return this.#hasInit
  }

  #runnerPath(): string {
    return this.#options.runnerPath ?? bundledRunnerPath()
  }
}
