import type { RunExit } from '../../model/run.ts'
import type { World } from '../../world.ts'
import { trimLog } from './bounded-log.ts'
import { endMembers, killMembers, sendSignal } from './end-members.ts'
import type { Launcher } from './launcher.ts'
import { formatIdentity } from './process-identity.ts'
import type { MemberQuery, ProcessTable } from './process-table.ts'
import type { RunEntry } from './run-registry.ts'

/** Between looks at adopted processes and log sizes, while there are runs. */
const LOOK_MS = 250

/** The same while a run floods its log: what it writes between two looks is not bounded. */
const FLOOD_LOOK_MS = 20

/** How an adopted run ended is not known: its exit code went to whoever reaped it. */
export const UNKNOWN_EXIT: RunExit = { code: null, signal: null, oomKilled: false }

/** A run this host knows alive: its own child, or one adopted after a restart, which has no launcher here. */
export interface LiveRun {
  readonly entry: RunEntry
  readonly launcher: Launcher | null
  readonly query: MemberQuery
  /** `ending`: the leader has exited, what it left behind is being ended. */
  phase: 'created' | 'running' | 'ending'
  readonly over: PromiseWithResolvers<void>
}

export interface LiveRunsOptions {
  readonly world: World
  readonly table: ProcessTable
  /** Called once a run and all its processes are gone; must not throw. */
  readonly onEnd: (entry: RunEntry, exit: RunExit) => Promise<void>
}

/** Follows live runs to their end, own ones by their exit event and adopted ones by looking, and bounds their logs. */
export class LiveRuns {
  readonly #options: LiveRunsOptions
  readonly #runs = new Map<string, LiveRun>()
  readonly #closing = new AbortController()
  #cancelLook: (() => void) | null = null

  constructor(options: LiveRunsOptions) {
    this.#options = options
  }

  get(id: string): LiveRun | undefined {
    return this.#runs.get(id)
  }

  all(): readonly LiveRun[] {
    return [...this.#runs.values()]
  }

  /** Follows a run this process has just created. */
  addOwn(entry: RunEntry, launcher: Launcher): void {
    const run = this.#add(entry, launcher, true)
    const { child } = launcher
    const onExit = (code: number | null, signal: NodeJS.Signals | null) =>
      void this.#end(run, { code, signal, oomKilled: false })
    // It may have ended while it was being registered.
    if (hasExited(launcher)) onExit(child.exitCode, child.signalCode)
    else child.once('exit', onExit)
  }

  /** Follows a run found again after a restart of the host. */
  adopt(entry: RunEntry, isLeaderAlive: boolean): void {
    if (this.#runs.has(formatIdentity(entry))) return
    const run = this.#add(entry, null, isLeaderAlive)
    run.phase = 'running'
    if (!isLeaderAlive) void this.#end(run, UNKNOWN_EXIT)
  }

  /** Lets go of a launcher that was never started; resolves when it has ended. */
  async abandon(run: LiveRun): Promise<void> {
    run.launcher?.gate.destroy()
    await run.over.promise
  }

  /** Signals a run's whole group; SIGKILL also what has left the group. */
  async signal(entry: RunEntry, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const run = this.#runs.get(formatIdentity(entry))
    if (await this.#isLeaderAlive(entry, run)) sendSignal(-entry.pid, signal)
    if (signal === 'SIGKILL') await killMembers(this.#options.table, run?.query ?? queryOf(entry, false))
  }

  /** Stops following; the runs go on, except launchers that were never started. */
  close(): void {
    this.#closing.abort()
    this.#cancelLook?.()
    for (const { launcher } of this.#runs.values()) launcher?.gate.destroy()
  }

  #add(entry: RunEntry, launcher: Launcher | null, trustGroup: boolean): LiveRun {
    const query = queryOf(entry, trustGroup)
    const run: LiveRun = { entry, launcher, query, phase: 'created', over: Promise.withResolvers() }
    this.#runs.set(formatIdentity(entry), run)
    this.#armLook()
    return run
  }

  async #end(run: LiveRun, exit: RunExit): Promise<void> {
    if (run.phase === 'ending') return
    run.phase = 'ending'
    const { world, table, onEnd } = this.#options
    await endMembers(table, run.query, world, this.#closing.signal)
    if (this.#closing.signal.aborted) return
    await boundLog(run)
    await onEnd(run.entry, exit)
    this.#runs.delete(formatIdentity(run.entry))
    run.over.resolve()
  }

  async #isLeaderAlive(entry: RunEntry, run: LiveRun | undefined): Promise<boolean> {
    // Our own child keeps its pid until its exit has been told to us.
    if (run?.launcher) return !hasExited(run.launcher)
    return (await this.#options.table.startIdOf(entry.pid)) === entry.startId
  }

  #armLook(delayMs = LOOK_MS): void {
    if (this.#cancelLook !== null || this.#closing.signal.aborted || this.#runs.size === 0) return
    this.#cancelLook = this.#options.world.setTimer(delayMs, () => {
      void this.#lookAtAll().then((isFlooding) => {
        this.#cancelLook = null
        this.#armLook(isFlooding ? FLOOD_LOOK_MS : LOOK_MS)
      })
    })
  }

  /** Returns whether a log had to be cut. */
  async #lookAtAll(): Promise<boolean> {
    const runs = [...this.#runs.values()]
    await Promise.all(runs.map((run) => this.#lookAtAdopted(run)))
    return (await Promise.all(runs.map(boundLog))).some((wasCut) => wasCut)
  }

  async #lookAtAdopted(run: LiveRun): Promise<void> {
    if (run.launcher !== null || run.phase === 'ending') return
    // A look that failed says nothing; the next one will.
    const isAlive = await this.#isLeaderAlive(run.entry, run).catch(() => true)
    if (!isAlive) void this.#end(run, UNKNOWN_EXIT)
  }
}

function queryOf(entry: RunEntry, trustGroup: boolean): MemberQuery {
  return { groupId: entry.pid, runName: entry.name, trustGroup }
}

function hasExited({ child }: Launcher): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** A log that cannot be cut (its folder deleted, the disk gone) must not keep the run from being followed. */
async function boundLog({ entry }: LiveRun): Promise<boolean> {
  return trimLog(entry.logPath, entry.logBytes).catch(() => false)
}
