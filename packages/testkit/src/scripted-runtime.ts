import type {
  ActivityTotals,
  Check,
  FoundResource,
  FoundRun,
  RunHandle,
  RunSpec,
  Runtime,
  RuntimeCapabilities,
  SeenRun,
} from '../../sessiond/src/ports.ts'

/**
 * A runtime that runs nothing: what it sees is set by the test, what it is asked to do is written down. For races
 * and for what no real runtime can be made to do on demand, such as a run that does not die.
 */
export class ScriptedRuntime implements Runtime {
  readonly name: string
  readonly capabilities: RuntimeCapabilities = {
    exitEvents: true,
    isolation: false,
    exitAfterHostRestart: true,
    limits: [],
    activity: true,
  }
  interruptions = 0
  /** What every run not named in `seenOf` is seen as. */
  seen: SeenRun = { state: 'running' }
  /** What the runs named here are seen as, by handle id. */
  readonly seenOf = new Map<string, SeenRun>()
  /** What the runs named here have used, by handle id; of all others nobody can say. */
  readonly activity = new Map<string, ActivityTotals>()
  /** Runs that exist, by handle id. */
  readonly runs = new Map<string, RunSpec>()
  /** Volumes and networks that exist. */
  readonly resources: Omit<FoundResource, 'usedBy'>[] = []
  /** Of those that something uses, by their ids: the id of what does. */
  readonly usedResources = new Map<string, string>()
  readonly calls: string[] = []
  /** Called before each request is answered: the place to change the world under a decision, or to throw. */
  before: (call: string, id: string) => void | Promise<void> = () => {}
  readonly #listeners = new Set<(runName: string) => void>()

  constructor(name = 'process') {
    this.name = name
  }

  userOf(): null {
    return null
  }

  async create(spec: RunSpec): Promise<RunHandle> {
    await this.#note('create', spec.name)
    this.runs.set(spec.name, spec)
    return { runtime: this.name, id: spec.name }
  }

  async start(handle: RunHandle): Promise<void> {
    await this.#note('start', handle.id)
  }

  async inspect(handle: RunHandle): Promise<SeenRun> {
    return this.runs.has(handle.id) ? this.#seenOf(handle.id) : { state: 'gone' }
  }

  async signal(handle: RunHandle, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#note(signal, handle.id)
  }

  async remove(handle: RunHandle): Promise<void> {
    await this.#note('remove', handle.id)
    this.runs.delete(handle.id)
  }

  async readLog(): Promise<string> {
    return ''
  }

  async sample(handles: readonly RunHandle[]): Promise<ReadonlyMap<string, ActivityTotals>> {
    const asked = new Set(handles.map(({ id }) => id))
    return new Map([...this.activity].filter(([id]) => asked.has(id)))
  }

  async listProcesses(): Promise<null> {
    return null
  }

  async list(): Promise<FoundRun[]> {
    return [...this.runs.values()].map(({ name, sessionId, epoch }) => {
      return {
        handle: { runtime: this.name, id: name },
        name,
        sessionId,
        epoch,
        isRunning: this.#seenOf(name).state === 'running',
      }
    })
  }

  async listResources(): Promise<FoundResource[]> {
    return this.resources.map((resource) => ({
      ...resource,
      usedBy: [...this.usedResources].filter(([id]) => id === resource.id).map(([, user]) => user),
    }))
  }

  async removeResource(resource: FoundResource): Promise<'removed' | 'in-use'> {
    await this.#note('removeResource', resource.id)
    if (this.usedResources.has(resource.id)) return 'in-use'
    const at = this.resources.findIndex(({ kind, id }) => kind === resource.kind && id === resource.id)
    this.resources.splice(at, 1)
    return 'removed'
  }

  onExit(listener: (runName: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The run has ended: tells whoever listens. */
  tellExit(runName: string): void {
    for (const listener of this.#listeners) listener(runName)
  }

  async check(): Promise<Check[]> {
    return []
  }

  async close(): Promise<void> {}

  #seenOf(id: string): SeenRun {
    return this.seenOf.get(id) ?? this.seen
  }

  async #note(call: string, id: string): Promise<void> {
    this.calls.push(`${call} ${id}`)
    await this.before(call, id)
  }
}
