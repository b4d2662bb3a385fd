import type { RunProcess } from '../model/black-box.ts'
import type { ErrorCode } from '../model/errors.ts'
import type { RunExit, RunHandle } from '../model/run.ts'

/** A file or folder of the host a run gets to see; already resolved and checked against mounts.roots. */
export interface ResolvedMount {
  readonly source: string
  readonly target: string
  readonly writable: boolean
}

/** Everything needed to bring up one run. Paths are absolute paths of the host. */
export interface RunSpec {
  readonly installId: string
  readonly sessionId: string
  readonly group: string
  readonly epoch: number
  /** The run's unique name: container name and label. */
  readonly name: string
  /** Host directories of the mailbox and workspace; they exist and are writable for the run's user. */
  readonly inDir: string
  readonly outDir: string
  readonly workDir: string
  /** Host-only file the process runtime appends the run's output to. */
  readonly logPath: string
  /** JSON for SESSIOND_AGENT; null when the group brings its own runner. */
  readonly agentJson: string | null
  /** The group's own runner program; null: sessiond's bundled runner. */
  readonly runnerCommand: readonly string[] | null
  /** The group's environment, complete: nothing else of the host's environment reaches the run. */
  readonly environment: Readonly<Record<string, string>>
  readonly mounts: readonly ResolvedMount[]
  readonly limits: RunLimits
  /** Docker only: image, network mode and user. */
  readonly image: string | null
  readonly network: string
  /** `uid:gid` the run gets; null: the host's own (process runtime). */
  readonly user: RunUser | null
}

export interface RunUser {
  readonly uid: number
  readonly gid: number
}

/** Resource limits; null: none. A runtime that cannot give one says so in `capabilities.limits`. */
export interface RunLimits {
  readonly memoryBytes: number | null
  readonly processes: number | null
  readonly cpus: number | null
  /** Largest single file the run may write. */
  readonly fileBytes: number | null
  /** Bound of the output kept per run. */
  readonly logBytes: number
}

/**
 * What the runtime saw of one run, by its handle's id. `created`: nothing of the agent has run yet. `exited`: its
 * end is confirmed but its remains (a stopped container) are still there; `gone`: confirmed, nothing left.
 * `unknown`: the runtime could not be asked, which is neither alive nor dead.
 */
export type SeenRun =
  | { readonly state: 'created' }
  | { readonly state: 'running' }
  | { readonly state: 'exited'; readonly exit: RunExit }
  | { readonly state: 'gone' }
  | { readonly state: 'unknown'; readonly because: string }

/** A container or process that carries this install's label. */
export interface FoundRun {
  readonly handle: RunHandle
  /** What no run is called when it does not say whose it is. */
  readonly name: string
  /** Null: it does not say. */
  readonly sessionId: string | null
  readonly epoch: number | null
  readonly isRunning: boolean
}

/** A volume or network that carries this install's label. */
export interface FoundResource {
  readonly kind: 'volume' | 'network'
  /** What the runtime knows it by for ever, or, where it has nothing better, its name. */
  readonly id: string
  readonly name: string
  /** The run it says it belongs to; null: to none. */
  readonly runName: string | null
  /** Handles' ids of what uses it, at work or at rest, whosever that is. */
  readonly usedBy: readonly string[]
}

/** One line of `sessiond doctor`. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  /** What was seen, in plain words. */
  readonly detail: string
  /** Of the error catalogue, where it has one for this. */
  readonly code?: ErrorCode
  /** What to do, when not ok. */
  readonly cure?: string
}

/** What a runtime can do; the host asks instead of knowing runtimes by name. */
export interface RuntimeCapabilities {
  /** `onExit` fires from events; otherwise only inspection tells. */
  readonly exitEvents: boolean
  /** Runs are walled off from the host (file system, users, network). */
  readonly isolation: boolean
  /** Exit codes survive a restart of the host. */
  readonly exitAfterHostRestart: boolean
  /** Which of RunLimits are enforced. */
  readonly limits: readonly (keyof RunLimits)[]
  /**
   * `sample` can tell of runs, unless they are where this host does not see them (an engine on another machine, or in a
   * virtual one); false: it never tells anything.
   */
  readonly activity: boolean
}

/**
 * What all processes of a run have used since it began, ended ones included as far as the system still tells of them.
 * No figure ever goes back while one runtime looks; after a restart of the host they may begin lower.
 */
export interface ActivityTotals {
  /** CPU time, in user programs and in the kernel, of all cores together. */
  readonly cpuMs: number
  /**
   * Bytes read and written. Processes of this host: through files, pipes and sockets, as far as the program calls read
   * and write for them (the system does not count `recv` and `send`). Containers: from and to block devices, and over
   * the container's own network interfaces but the loopback; one that shares the host's network, or another container's,
   * is told of as processes of the host are.
   */
  readonly ioBytes: number
  /** Processes that live now; of a container its threads, which is what the system counts there. */
  readonly processes: number
}

/**
 * Brings runs up and down. Every call is bounded in time. Failures are SessiondErrors: RUNTIME_UNREACHABLE
 * (cannot be asked), RUNTIME_REFUSED, IMAGE_MISSING, RUN_NAME_TAKEN, COMMAND_NOT_FOUND, MOUNT_REFUSED.
 * A new adapter starts by passing testkit's exerciseRuntime.
 */
export interface Runtime {
  readonly name: string
  readonly capabilities: RuntimeCapabilities
  /** How often it has been out of sight so far: what ended meanwhile may have ended by its doing, not by its own. */
  readonly interruptions: number

  /** The user a run of this runtime gets, so that its mailbox and workspace can be made its own; null: the host's. */
  userOf(configured: RunUser | null): RunUser | null
  /**
   * Prepares a run without letting anything of the agent execute, so that the host can record the handle before
   * there is something to lose. A host that dies between `create` and `start` leaves nothing running.
   */
  create(spec: RunSpec): Promise<RunHandle>
  /** Lets a created run go. Idempotent. Throws RUNTIME_REFUSED or COMMAND_NOT_FOUND when it cannot. */
  start(handle: RunHandle): Promise<void>
  /** Never throws: what cannot be asked is `unknown`. */
  inspect(handle: RunHandle): Promise<SeenRun>
  /**
   * Asks the run, all its processes, to end (SIGTERM) or ends it (SIGKILL). Resolves when the request was made,
   * not when it took effect. A run that is gone is no error.
   */
  signal(handle: RunHandle, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Releases what an exited or created run left (container, launcher). Idempotent; refuses a running one. */
  remove(handle: RunHandle): Promise<void>
  /** Last `maxBytes` of the run's output, "" when there is none; after `remove` perhaps nothing. */
  readLog(handle: RunHandle, maxBytes: number): Promise<string>
  /**
   * What these runs have used so far, by their handles' ids. Costs a few small reads of this host's own files a run, and
   * asks an engine about a run once. A run is missing when it does not run, and when any figure of it cannot be read:
   * half a figure would be taken for silence. That holds as well for a run of more than MAX_SAMPLED_PROCESSES processes
   * where each has to be read by itself: a run must not be able to hold up the host by forking. Never throws.
   */
  sample(handles: readonly RunHandle[]): Promise<ReadonlyMap<string, ActivityTotals>>
  /** Its processes now, at most 64, for a person who asks why it was stopped; null: they cannot be seen. Never throws. */
  listProcesses(handle: RunHandle): Promise<readonly RunProcess[] | null>
  /**
   * All that carries exactly this install's label, running or not, but never what the host itself runs in; throws
   * RUNTIME_UNREACHABLE.
   */
  list(): Promise<FoundRun[]>
  /** Volumes and networks that carry exactly this install's label; throws RUNTIME_UNREACHABLE. */
  listResources(): Promise<FoundResource[]>
  /** Removes one that nothing uses, not even something at rest. Idempotent: what is gone counts as removed. */
  removeResource(resource: FoundResource): Promise<'removed' | 'in-use'>
  /** Calls back after a run has exited, at least once where events are supported; never before it has. */
  onExit(listener: (runName: string) => void): () => void
  /** Doctor's checks; `group` checks also need its image or command. Never throws. */
  check(groups: readonly RuntimeGroupCheck[]): Promise<Check[]>
  /** Ends watches and connections; runs go on. */
  close(): Promise<void>
}

export interface RuntimeGroupCheck {
  readonly group: string
  readonly image: string | null
  readonly command: readonly string[]
}

/** What `listProcesses` tells of at most: a run may have any number. */
export const MAX_LISTED_PROCESSES = 64

/** At most so many processes of a run are read in one sample, by a runtime that has to read each by itself. */
export const MAX_SAMPLED_PROCESSES = 512
