import type { LivenessObservation } from '../decide/decide-liveness.ts'
import type { SessionObservation } from '../decide/decide-session.ts'
import type { Mailbox } from '../mailbox/mailbox.ts'
import type { Run } from '../model/run.ts'
import type { Runtime, SeenRun } from '../runtime/runtime.ts'
import type { SessionFacts, Store } from '../store/store.ts'
import type { World } from '../world.ts'
import type { DiskFloor, DiskRoom } from './disk-floor.ts'
import type { RunWatch, RunWatches } from './run-watch.ts'

export interface ObserveDeps {
  readonly world: World
  readonly store: Store
  readonly mailbox: Mailbox
  readonly runtimes: ReadonlyMap<string, Runtime>
  readonly watches: RunWatches
  readonly diskFloor: Pick<DiskFloor, 'read'>
  readonly config: { readonly groups: { has(name: string): boolean } }
  /** Notices whether this host stood still since it last looked, and if so gives every watch its time anew. */
  readonly checkPulse: () => void
  /** A runtime known to be out of reach is not asked about each of its runs, only probed until it answers. */
  readonly isRuntimeLost: (runtime: string) => boolean
}

export interface ObserveOptions {
  /** False: nothing hints at an exit, so a run recorded as running is taken at its word and not asked about. */
  readonly inspect: boolean
  /** True: for a person or a dry run, beside the session's own reconcile; nothing is begun or replaced. */
  readonly isOnlyLooking: boolean
  readonly isAdmitted: boolean
  readonly isEvicted: boolean
  readonly isWindowFull: boolean
  readonly outbox: SessionObservation['outbox']
  readonly drain: SessionObservation['drain']
}

/** Gathers everything a decision about one session needs; null: no such session. Changes nothing but the watch. */
export async function observeSession(
  deps: ObserveDeps,
  sessionId: string,
  options: ObserveOptions,
): Promise<SessionObservation | null> {
  const facts = await deps.store.readFacts(sessionId, deps.world.now())
  if (facts === null) return null
  const { run } = facts
  const seen = run === null ? null : await seeRun(deps, run, options.inspect)
  const watch = run === null ? null : watchOf(deps, run, options.isOnlyLooking)
  if (watch !== null) {
    const runtime = run === null ? undefined : deps.runtimes.get(run.runtime)
    noteSeen(watch, seen, options.inspect, runtime, deps.world.monotonicMs())
    await look(deps, watch, facts)
  }
  const disk = await lookAtDisk(deps, facts)
  // Here, behind the last await: a host that stood still in the middle of looking must not judge by that time either.
  deps.checkPulse()
  const monotonicMs = deps.world.monotonicMs()
  return {
    nowMs: deps.world.now(),
    facts: options.isWindowFull ? { ...facts, dueUnprojected: 0 } : facts,
    seen,
    clocks: watch?.clocks(monotonicMs) ?? null,
    liveness: watch?.liveness(monotonicMs, livenessStateOf(seen)) ?? null,
    keepsClocks: watch?.keepsClocks ?? false,
    outbox: options.outbox,
    unreadableForMs: watch?.unreadableForMs(monotonicMs) ?? 0,
    stop: watch?.stopProgress(monotonicMs) ?? null,
    cancelAgeMs: watch?.cancelAgeMs(monotonicMs) ?? null,
    idleForMs: watch?.idleForMs(monotonicMs) ?? 0,
    isMailboxBehind: watch?.isMailboxBehind ?? false,
    isGroupConfigured: deps.config.groups.has(facts.session.group),
    isStopRequested: watch?.isStopRequested ?? false,
    isAdmitted: options.isAdmitted,
    isEvicted: options.isEvicted,
    drain: options.drain,
    disk,
  }
}

/** A run that lives goes on whatever room there is; only where one might begin it matters. */
async function lookAtDisk({ diskFloor }: ObserveDeps, facts: SessionFacts): Promise<DiskRoom | null> {
  return facts.run === null && facts.dueUnprojected > 0 ? diskFloor.read() : null
}

function watchOf({ watches, world }: ObserveDeps, run: Run, isOnlyLooking: boolean): RunWatch {
  return isOnlyLooking ? watches.peek(run, world.monotonicMs()) : watches.of(run, world.monotonicMs())
}

/** Asks the runtime about exactly this handle; null when the start never got as far as one. */
async function seeRun(deps: ObserveDeps, run: Run, inspect: boolean): Promise<SeenRun | null> {
  if (run.handle === null) return null
  if (!inspect && run.state === 'running') return { state: 'running' }
  const runtime = deps.runtimes.get(run.runtime)
  if (runtime === undefined) return { state: 'unknown', because: `runtime ${run.runtime} is not configured` }
  if (deps.isRuntimeLost(run.runtime)) return { state: 'unknown', because: `runtime ${run.runtime} is out of reach` }
  return runtime.inspect(run.handle)
}

function livenessStateOf(seen: SeenRun | null): LivenessObservation['seen'] {
  return seen === null || seen.state === 'gone' ? 'exited' : seen.state
}

/** Whoever ended while the runtime was out of sight may have been ended by it (a restarted engine). */
function noteSeen(
  watch: RunWatch,
  seen: SeenRun | null,
  inspected: boolean,
  runtime: Runtime | undefined,
  monotonicMs: number,
): void {
  const interruptions = runtime?.interruptions ?? null
  if (seen?.state === 'unknown') watch.noteUnknown()
  else if (seen?.state === 'running' && inspected) {
    watch.noteAlive(interruptions, monotonicMs)
  } else if (seen?.state === 'exited' || seen?.state === 'gone') {
    watch.isExcused ||= watch.interruptionsAtSight !== interruptions
  }
}

async function look(deps: ObserveDeps, watch: RunWatch, facts: SessionFacts): Promise<void> {
  const sessionId = facts.session.id
  // Of a run that was not let go yet, what lies there is the one's before it (A3).
  if (watch.interruptionsAtSight !== null) {
    watch.noteHeartbeat(await deps.mailbox.heartbeatMtimeMs(sessionId), deps.world.monotonicMs())
  }
  watch.noteFacts(facts, deps.world.monotonicMs())
  watch.noteHandle(facts.run?.handle ?? null)
  if (facts.run?.state === 'stopping' || facts.run?.state === 'unkillable') watch.noteStop(deps.world.monotonicMs())
  if (facts.run?.killSentAtMs != null) watch.noteKill(deps.world.monotonicMs())
}
