import { join } from 'node:path'
import type { RunProcess } from '../../model/black-box.ts'
import { SessiondError } from '../../model/errors.ts'
import type { RunHandle } from '../../model/run.ts'
import type { World } from '../../world.ts'
import { bundledMcpPath, bundledRunnerPath, RUNNER_NODE_OPTIONS } from '../bundled-runner.ts'
import { checkMountsUnmoved } from '../check-mounts-unmoved.ts'
import { ExitListeners } from '../exit-listeners.ts'
import { describeProcess } from '../linux/describe-process.ts'
import { runEnvironment } from '../run-environment.ts'
import type {
  ActivityTotals,
  Check,
  FoundResource,
  FoundRun,
  RunSpec,
  Runtime,
  RuntimeCapabilities,
  RuntimeGroupCheck,
  SeenRun,
} from '../runtime.ts'
import { MAX_LISTED_PROCESSES } from '../runtime.ts'
import { readLogTail } from './bounded-log.ts'
import { findProgram } from './find-program.ts'
import { openGate, spawnLauncher } from './launcher.ts'
import { type LiveRun, LiveRuns, UNKNOWN_EXIT } from './live-runs.ts'
import { ProcessActivity } from './process-activity.ts'
import { checkProcessRuntime } from './process-checks.ts'
import { formatIdentity, parseIdentity } from './process-identity.ts'
import { type ProcessTable, systemProcessTable } from './process-table.ts'
import type { WatchedRun } from './run-members.ts'
import { type RunEntry, RunRegistry } from './run-registry.ts'

const NAME = 'process'

/** Names a shell hands on to the program it becomes. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/

export interface ProcessRuntimeOptions {
  readonly world: World
  readonly installId: string
  /** Registered runs lie in `process-runs/` below it. */
  readonly dataDir: string
  /** PATH, LANG and TZ of the runs; nothing else of it is used. */
  readonly hostEnvironment: Readonly<Record<string, string | undefined>>
  /** @default the runner that comes with sessiond */
  readonly runnerPath?: string
  /** @default this system's */
  readonly processTable?: ProcessTable
}

/**
 * Runs as plain processes of the host's user, each a session and process group of its own. No isolation: for agents
 * one trusts, for development, and where there is no container engine.
 */
export class ProcessRuntime implements Runtime {
  readonly name = NAME
  readonly capabilities: RuntimeCapabilities = {
    exitEvents: true,
    isolation: false,
    exitAfterHostRestart: false,
    // The number of processes is not: the system counts those of the user, not those of the run.
    limits: process.platform === 'linux' ? ['memoryBytes', 'fileBytes', 'logBytes'] : ['fileBytes', 'logBytes'],
    // Elsewhere the system does not tell what a process reads and writes.
    activity: process.platform === 'linux',
  }
  /** Nothing stands between it and its processes. */
  readonly interruptions = 0
  readonly #options: ProcessRuntimeOptions
  readonly #table: ProcessTable
  readonly #registryDir: string
  readonly #registry: RunRegistry
  readonly #exits = new ExitListeners()
  readonly #live: LiveRuns
  readonly #activity: ProcessActivity

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options
    this.#table = options.processTable ?? systemProcessTable()
    this.#registryDir = join(options.dataDir, 'process-runs')
    this.#registry = new RunRegistry(this.#registryDir)
    this.#live = new LiveRuns({
      world: options.world,
      table: this.#table,
      onEnd: async (entry, exit) => {
        // When it cannot be written (a full disk) only a restarted host misses the exit code.
        await this.#registry.recordExit(formatIdentity(entry), exit).catch(() => {})
        this.#exits.emit(entry.name)
      },
    })
    this.#activity = new ProcessActivity(options.world, () => this.#live.all().map(watchedRun))
  }

  userOf(): null {
    return null
  }

  async create(spec: RunSpec): Promise<RunHandle> {
    await this.#registry.checkFree(spec.name)
    await checkMountsUnmoved(spec.mounts)
    const environment = this.#environmentOf(spec)
    const command = await this.#commandOf(spec, environment)
    const { workDir, logPath, limits } = spec
    const launcher = await spawnLauncher({ command, workDir, environment, logPath, limits })
    try {
      const startId = await this.#table.startIdOf(launcher.pid)
      if (startId === null) throw new SessiondError('RUNTIME_REFUSED', `Run ${spec.name} ended before it was created.`)
      const { installId, name, sessionId, epoch } = spec
      const { pid } = launcher
      const entry = { installId, name, sessionId, epoch, pid, startId, logPath, logBytes: limits.logBytes, exit: null }
      await this.#registry.add(entry)
      this.#live.addOwn(entry, launcher)
      return { runtime: NAME, id: formatIdentity(entry) }
    } catch (error) {
      // The launcher reads the end of its gate and exits.
      launcher.gate.destroy()
      throw error
    }
  }

  async start(handle: RunHandle): Promise<void> {
    const run = this.#live.get(handle.id)
    if (run?.phase === 'created' && run.launcher !== null) {
      run.phase = 'running'
      await openGate(run.launcher.gate).catch((error: unknown) => {
        throw new SessiondError('RUNTIME_REFUSED', `Run ${run.entry.name} ended before it was started.`, {
          cause: error,
        })
      })
      return
    }
    const seen = await this.inspect(handle)
    if (seen.state === 'running') return
    // A launcher that was not started ends with the host that made it.
    throw new SessiondError('RUNTIME_REFUSED', `Run ${handle.id} cannot be started: it is ${seen.state}.`)
  }

  async inspect(handle: RunHandle): Promise<SeenRun> {
    try {
      const run = this.#live.get(handle.id)
      if (run !== undefined) return { state: run.phase === 'created' ? 'created' : 'running' }
      return await this.#inspectByIdentity(handle.id)
    } catch (error) {
      return { state: 'unknown', because: error instanceof Error ? error.message : String(error) }
    }
  }

  async signal(handle: RunHandle, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const entry = await this.#registry.get(handle.id)
    if (entry === undefined) return
    await this.#live.signal(entry, signal).catch((error: unknown) => {
      throw new SessiondError('RUNTIME_REFUSED', `Run ${entry.name} could not be signalled.`, { cause: error })
    })
  }

  async remove(handle: RunHandle): Promise<void> {
    const run = this.#live.get(handle.id)
    if (run?.phase === 'created') await this.#live.abandon(run)
    const seen = await this.inspect(handle)
    if (seen.state === 'unknown') {
      const what = `Run ${handle.id} cannot be looked at: ${seen.because}.`
      throw new SessiondError('RUNTIME_UNREACHABLE', what, { fields: { runtime: NAME } })
    }
    if (seen.state === 'running') {
      throw new SessiondError('RUNTIME_REFUSED', `Run ${handle.id} is still running and is not removed.`)
    }
    await this.#registry.delete(handle.id)
  }

  async readLog(handle: RunHandle, maxBytes: number): Promise<string> {
    const entry = await this.#registry.get(handle.id)
    return entry === undefined ? '' : readLogTail(entry.logPath, maxBytes)
  }

  async list(): Promise<FoundRun[]> {
    const entries = await this.#registry.list()
    const ours = entries.filter((entry) => entry.installId === this.#options.installId)
    await this.#forgetStrangers(entries.filter((entry) => !ours.includes(entry)))
    return Promise.all(
      ours.map(async (entry) => {
        const handle = { runtime: NAME, id: formatIdentity(entry) }
        const seen = await this.inspect(handle)
        // A run we cannot look at counts as running: the safe side, as nothing is started beside it.
        const isRunning = seen.state === 'running' || seen.state === 'unknown'
        return { handle, name: entry.name, sessionId: entry.sessionId, epoch: entry.epoch, isRunning }
      }),
    )
  }

  async listResources(): Promise<FoundResource[]> {
    return []
  }

  async removeResource(): Promise<'removed'> {
    return 'removed'
  }

  async sample(handles: readonly RunHandle[]): Promise<ReadonlyMap<string, ActivityTotals>> {
    if (!this.capabilities.activity) return new Map()
    await Promise.all(handles.map((handle) => this.#follow(handle)))
    const ids = handles.map(({ id }) => id).filter((id) => this.#live.get(id)?.phase === 'running')
    if (ids.length === 0) return new Map()
    // Processes that cannot be listed at all are like runs that cannot be read.
    const totals = await this.#activity.take().catch(() => new Map<string, ActivityTotals>())
    return new Map([...totals].filter(([id]) => ids.includes(id)))
  }

  async listProcesses(handle: RunHandle): Promise<readonly RunProcess[] | null> {
    try {
      const entry = await this.#registry.get(handle.id)
      if (process.platform !== 'linux' || entry === undefined) return null
      const query = { groupId: entry.pid, runName: entry.name, trustGroup: this.#live.get(handle.id) !== undefined }
      const members = await this.#table.findMembers(query)
      const seen = members.slice(0, MAX_LISTED_PROCESSES).map(({ pid }) => describeProcess(pid))
      return seen.filter((one) => one !== null)
    } catch {
      return null
    }
  }

  onExit(listener: (runName: string) => void): () => void {
    return this.#exits.add(listener)
  }

  check(groups: readonly RuntimeGroupCheck[]): Promise<Check[]> {
    return checkProcessRuntime({
      groups,
      path: this.#basePath(),
      runnerPath: () => this.#runnerPath(),
      registryDir: this.#registryDir,
    })
  }

  async close(): Promise<void> {
    this.#exits.clear()
    this.#live.close()
  }

  /** Only a run that is followed is known by its processes; one of before a restart of the host is so once inspected. */
  async #follow(handle: RunHandle): Promise<void> {
    if (this.#live.get(handle.id) !== undefined) return
    const entry = await this.#registry.get(handle.id).catch(() => undefined)
    if (entry?.exit === null) await this.inspect(handle)
  }

  async #inspectByIdentity(id: string): Promise<SeenRun> {
    const entry = await this.#registry.get(id)
    if (entry?.exit) return { state: 'exited', exit: entry.exit }
    const identity = parseIdentity(id)
    if (identity === undefined) return { state: 'gone' }
    const isAlive = (await this.#table.startIdOf(identity.pid)) === identity.startId
    if (entry === undefined) return { state: isAlive ? 'running' : 'gone' }
    if (isAlive || (await this.#hasMembers(entry))) {
      // Found again after a restart of the host: followed from here on.
      this.#live.adopt(entry, isAlive)
      return { state: 'running' }
    }
    await this.#registry.recordExit(id, UNKNOWN_EXIT)
    return { state: 'exited', exit: UNKNOWN_EXIT }
  }

  /** Entries of a store that this directory had before: none of ours to end, but what is surely dead needs no file. */
  async #forgetStrangers(entries: readonly RunEntry[]): Promise<void> {
    for (const entry of entries) await this.#forgetStranger(entry).catch(() => {})
  }

  async #forgetStranger(entry: RunEntry): Promise<void> {
    const isAlive = (await this.#table.startIdOf(entry.pid)) === entry.startId
    if (!isAlive && !(await this.#hasMembers(entry))) await this.#registry.delete(formatIdentity(entry))
  }

  async #hasMembers({ pid, name }: RunEntry): Promise<boolean> {
    const members = await this.#table.findMembers({ groupId: pid, runName: name, trustGroup: false })
    return members.length > 0
  }

  #environmentOf(spec: RunSpec): Record<string, string> {
    const { LANG, TZ } = this.#options.hostEnvironment
    const base = {
      PATH: this.#basePath(),
      HOME: spec.workDir,
      ...(LANG === undefined ? {} : { LANG }),
      ...(TZ === undefined ? {} : { TZ }),
    }
    const mcpPath = bundledMcpPath()
    const mcp = mcpPath === null ? null : [process.execPath, ...RUNNER_NODE_OPTIONS, mcpPath]
    const environment = runEnvironment(spec, { in: spec.inDir, out: spec.outDir, work: spec.workDir, mcp }, base)
    for (const [name, value] of Object.entries(environment)) {
      if (VARIABLE.test(name) && !value.includes('\0')) continue
      throw new SessiondError(
        'RUNTIME_REFUSED',
        `Variable ${JSON.stringify(name)} of group ${spec.group} cannot be set.`,
        {
          fields: { group: spec.group, variable: name },
          cure: 'Use letters, digits and underscores in its name, and no NUL in its value.',
        },
      )
    }
    return environment
  }

  #basePath(): string {
    return this.#options.hostEnvironment.PATH ?? '/usr/local/bin:/usr/bin:/bin'
  }

  async #commandOf(spec: RunSpec, environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
    if (spec.runnerCommand === null) return [process.execPath, ...RUNNER_NODE_OPTIONS, this.#runnerPath()]
    const [program = '', ...rest] = spec.runnerCommand
    const found = await findProgram(program, environment.PATH ?? '', spec.workDir)
    if (found !== undefined) return [found, ...rest]
    throw new SessiondError(
      'COMMAND_NOT_FOUND',
      `Group ${spec.group}: there is no program ${JSON.stringify(program)}.`,
      {
        fields: { group: spec.group, program },
      },
    )
  }

  #runnerPath(): string {
    return this.#options.runnerPath ?? bundledRunnerPath()
  }
}

function watchedRun({ entry, query, launcher }: LiveRun): WatchedRun {
  return { id: formatIdentity(entry), query, isAdopted: launcher === null }
}
