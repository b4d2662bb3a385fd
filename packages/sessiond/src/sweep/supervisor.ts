import type { SweepLine, SweepReport } from '../api.ts'
import type { SessionObservation } from '../decide/decide-session.ts'
import { adoptRun } from '../effects/adopt-run.ts'
import { type EffectDeps, sinksOf, wordsOf } from '../effects/deps.ts'
import { endClosed } from '../effects/end-closed.ts'
import { recallDue } from '../effects/recall-due.ts'
import { hasCode } from '../model/errors.ts'
import type { NewMessage } from '../model/message.ts'
import type { ActivitySample } from '../observe/activity-meter.ts'
import { ActivitySampler } from '../observe/activity-sampler.ts'
import type { DiskFloor } from '../observe/disk-floor.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { World } from '../world.ts'
import { Admission } from './admission.ts'
import { BeatLooks } from './beat-looks.ts'
import { HostPulse } from './host-pulse.ts'
import { LeftoverSweep } from './leftover-sweep.ts'
import { type Cause, explainSession, type ReconcileDeps, reconcileSession } from './reconcile-session.ts'
import { Reconciler } from './reconciler.ts'
import { RuntimeHealth } from './runtime-health.ts'
import { SeriesClock } from './series-clock.ts'
import { SweepLoop } from './sweep-loop.ts'

/** How long a start or a sweep waits for what it asked of live runs; what takes longer goes on beside it. */
const LOOK_WAIT_MS = 10_000

/** What is nearly done at the end of the drain may still end in order. */
const LAST_STEPS_MS = 250

export interface SupervisorOptions {
  readonly deps: EffectDeps
  readonly diskFloor: DiskFloor
  readonly onError: (where: string, error: unknown) => void
}

/** Keeps every session moving: recovery at start, events, the sweep as safety net, and the drain at the end. */
export class Supervisor {
  readonly #deps: ReconcileDeps
  readonly #onError: (where: string, error: unknown) => void
  readonly #reconciler: Reconciler
  readonly #admission: Admission
  readonly #runtimes: RuntimeHealth
  readonly #leftovers: LeftoverSweep
  readonly #sweepLoop: SweepLoop
  readonly #pulse: HostPulse
  readonly #beatLooks: BeatLooks
  readonly #sampler: ActivitySampler
  readonly #seriesClock: SeriesClock
  readonly #unlisten: (() => void)[] = []
  readonly #onReconciled = new Set<() => void>()
  #drain: SessionObservation['drain'] = 'none'
  #lastSweepAtMs: number | null = null

  constructor({ deps, diskFloor, onError }: SupervisorOptions) {
    const { world, store, config, watches } = deps
    this.#onError = onError
    this.#deps = {
      ...deps,
      diskFloor,
      onOutboxChange: (sessionId) => void this.trigger(sessionId, 'outbox'),
      drain: () => this.#drain,
      checkPulse: () => this.#pulse.check(),
      isRuntimeLost: (name) => this.#runtimes.isLost(name),
      lossesOf: (name) => this.#runtimes.lossesOf(name),
      onRuntimeUnknown: (name, because) => this.#noteLost(name, because),
    }
    this.#leftovers = new LeftoverSweep({ world, store, config })
    this.#runtimes = new RuntimeHealth({
      world,
      store,
      probe: (runtime) => this.#removeLeftovers(runtime),
      onRecovered: () => this.#noteRecovered(),
    })
    this.#reconciler = new Reconciler({
      world,
      concurrency: config.sweep.concurrency,
      laneOf: (sessionId) => this.#runtimeNameOf(sessionId) ?? '',
      reconcile: (sessionId, causes) => reconcileSession(this.#deps, sessionId, causes),
      onError: (sessionId, error, failures) => this.#noteSessionError(sessionId, error, failures),
      onAdmission: (sessionId, usedSlot) => {
        this.#admission.done(sessionId, usedSlot)
        for (const listener of this.#onReconciled) listener()
      },
      onSlotFailed: (sessionId) => this.#admission.failed(sessionId),
    })
    this.#admission = new Admission({
      config,
      world,
      store,
      watches,
      diskFloor,
      isRuntimeLost: (name) => this.#runtimes.isLost(name),
      admit: (sessionId) => void this.trigger(sessionId, 'admitted'),
      evict: (sessionId) => void this.trigger(sessionId, 'evicted'),
      onError: (error) => onError('admission', error),
    })
    this.#pulse = new HostPulse({ world, onStalled: (stalledMs) => this.#noteStalled(stalledMs) })
    this.#sampler = new ActivitySampler({
      world,
      runtimes: deps.runtimes,
      listRuns: () => [...watches.all()].flatMap((watch) => watch.sampled() ?? []),
      onSample: (name, sample) => this.#noteActivity(name, sample),
    })
    this.#beatLooks = new BeatLooks({
      world,
      look: () => this.#lookAtBeats(),
      onError: (error) => onError('looking at beats', error),
    })
    this.#seriesClock = new SeriesClock({
      world,
      store,
      sinksOf: (group) => sinksOf(config, group),
      onFired: (sessionIds) => this.#noteDue(sessionIds),
      onInterrupted: (sessionId) => this.noteMailboxBehind(sessionId),
      onError: (error) => onError('looking at series', error),
    })
    // What a run has ended may have armed its series anew.
    this.#onReconciled.add(() => this.#seriesClock.kick())
    this.#sweepLoop = new SweepLoop({
      world,
      intervalMs: config.sweep.intervalMs,
      sweep: () => this.#sweep().then(() => {}),
      onError: (error) => onError('sweep', error),
    })
  }

  /**
   * Recovers, then sweeps at once. Nothing new is started before every container of this install is either adopted
   * or on its way out. The same on every start: there is no clean-shutdown shortcut.
   */
  async start(): Promise<void> {
    for (const runtime of this.#deps.runtimes.values()) {
      this.#unlisten.push(runtime.onExit((runName) => this.#noteExit(runName)))
    }
    this.#pulse.start()
    this.#beatLooks.start()
    this.#sampler.start()
    await this.#assignAccounts()
    await this.#assignZones()
    await this.#removeAllLeftovers()
    for (const run of await this.#deps.store.listLiveRuns()) await adoptRun(this.#deps, run)
    await this.#lookAtLiveRuns('startup')
    await this.#sweepLoop.start()
    // Last: what was missed must not be started before what was left running is taken stock of.
    this.#seriesClock.start()
  }

  trigger(sessionId: string, cause: Cause): Promise<readonly SweepLine[]> {
    return this.#reconciler.trigger(sessionId, cause)
  }

  /** Messages are durable: a live run sees them now, the others wait for a slot. */
  noteAccepted(messages: readonly NewMessage[]): void {
    this.#noteDue(messages.map((message) => message.sessionId))
  }

  #noteDue(sessionIds: readonly string[]): void {
    let needsSlot = false
    for (const sessionId of new Set(sessionIds)) {
      if (this.#deps.watches.find(sessionId) === undefined) needsSlot = true
      else void this.trigger(sessionId, 'message')
    }
    if (needsSlot) this.#admission.kick()
  }

  /** Work may have become due without a message having been accepted (a replay). */
  kick(): void {
    this.#admission.kick()
  }

  /** Its run, if there is one, has to be told something: that what it holds is cancelled, what its request came to. */
  noteMailboxBehind(sessionId: string): void {
    const watch = this.#deps.watches.find(sessionId)
    if (watch !== undefined) watch.isMailboxBehind = true
    void this.trigger(sessionId, 'request')
  }

  /** A series was made or changed, by whose wish some message may be due, too. */
  noteSeriesChanged(): void {
    this.#seriesClock.kick()
    this.#admission.kick()
  }

  lastSweepAtMs(): number | null {
    return this.#lastSweepAtMs
  }

  lostRuntimes(): string[] {
    return this.#runtimes.lostRuntimes()
  }

  /** What would be done with a session now, and why; null: no such session. Asks no runtime that need not be asked. */
  explain(sessionId: string): Promise<SweepLine | null> {
    return explainSession(this.#deps, sessionId, { inspect: false, isAdmitted: false, isEvicted: false })
  }

  async sweepOnce(options: { readonly dryRun: boolean }): Promise<SweepReport> {
    const { world } = this.#deps
    const startedAtMs = world.now()
    const startedMs = world.monotonicMs()
    const lines = options.dryRun ? await this.#explainAll() : await this.#sweep()
    return { startedAtMs, tookMs: world.monotonicMs() - startedMs, dryRun: options.dryRun, lines }
  }

  /**
   * Drains within `drainMs`: idle runs stop at once, running work may finish until the last stopGraceMs, then its run
   * is stopped too. What is not gone by then keeps its stop intent, and the next start finishes it.
   */
  async stop(drainMs: number): Promise<void> {
    const { world, config } = this.#deps
    const { stopGraceMs } = config.runs
    const endMs = world.monotonicMs() + drainMs
    const leftMs = () => Math.max(0, endMs - world.monotonicMs())
    this.#admission.stop()
    this.#seriesClock.stop()
    try {
      await within(world, leftMs(), this.#sweepLoop.stop())
      this.#drain = 'finish-work'
      if (!(await this.#untilNoLiveRuns(Math.max(0, leftMs() - stopGraceMs)))) {
        this.#drain = 'stop-now'
        await this.#untilNoLiveRuns(Math.min(leftMs(), stopGraceMs))
      }
    } finally {
      await this.halt(leftMs())
    }
  }

  /**
   * Lets go of everything and leaves the runs as they are, for the next host to adopt. Waits at most `waitMs` for steps
   * under way: a runtime that hangs must not keep the host, and what it still does the next start finds.
   */
  async halt(waitMs: number): Promise<void> {
    this.#admission.stop()
    for (const unlisten of this.#unlisten.splice(0)) unlisten()
    this.#runtimes.stop()
    this.#pulse.stop()
    this.#beatLooks.stop()
    this.#sampler.stop()
    this.#seriesClock.stop()
    const ended = Promise.all([this.#sweepLoop.stop(), this.#reconciler.stop(), this.#leftovers.stop()])
    await within(this.#deps.world, Math.max(waitMs, LAST_STEPS_MS), ended)
  }

  async #sweep(): Promise<readonly SweepLine[]> {
    await recallDue(this.#deps).catch((error: unknown) => this.#onError('recalling what is due', error))
    // A thousand of them take an engine its time, in which the runs that are live must be looked at, too.
    await within(this.#deps.world, LOOK_WAIT_MS, this.#removeAllLeftovers())
    const lines = await this.#lookAtLiveRuns('sweep')
    this.#admission.kick()
    this.#seriesClock.kick()
    this.#lastSweepAtMs = this.#deps.world.monotonicMs()
    // Also when nobody sends and nobody waits: a person is told as soon as there is something to tell.
    await this.#deps.diskFloor.look()
    await endClosed(this.#deps).catch((error: unknown) => this.#onError('ending closed sessions', error))
    return lines
  }

  async #explainAll(): Promise<SweepLine[]> {
    const { store, world, config } = this.#deps
    const live = (await store.listLiveRuns()).map((run) => run.sessionId)
    const waiting = (await store.listWaiting(world.now(), config.runs.max)).map((session) => session.sessionId)
    const { start, evict } = await this.#admission.decide()
    const lines = await Promise.all(
      [...new Set([...live, ...waiting])].map((sessionId) => {
        const [isAdmitted, isEvicted] = [start.includes(sessionId), evict.includes(sessionId)]
        return explainSession(this.#deps, sessionId, { inspect: true, isAdmitted, isEvicted })
      }),
    )
    return lines.filter((line) => line !== null)
  }

  async #lookAtLiveRuns(cause: Cause): Promise<SweepLine[]> {
    const { store, world } = this.#deps
    const lines: SweepLine[] = []
    const looks = (await store.listLiveRuns()).map(async ({ sessionId }) => {
      lines.push(...(await this.trigger(sessionId, cause)))
    })
    // A session that keeps its own reconcile busy must not keep the host from starting, or the sweep from coming again.
    await within(world, LOOK_WAIT_MS, Promise.all(looks))
    return [...lines]
  }

  #noteActivity(runName: string, sample: ActivitySample): void {
    for (const watch of this.#deps.watches.all()) {
      if (watch.run.name === runName) watch.noteActivity(sample, this.#deps.world.monotonicMs())
    }
  }

  async #lookAtBeats(): Promise<void> {
    const { watches, mailbox, world } = this.#deps
    // Before anything is noted: a beat seen on waking must not be taken for one from before a stall.
    this.#pulse.check()
    // Of a run that was not let go yet, what lies there is the one's before it (A3).
    const letGo = [...watches.all()].filter((watch) => watch.interruptionsAtSight !== null)
    const looks = letGo.map(async (watch) => {
      const mtimeMs = await mailbox.heartbeatMtimeMs(watch.run.sessionId)
      // It may have been replaced meanwhile: the file then belongs to the run after it.
      if (watches.find(watch.run.sessionId) === watch) watch.noteHeartbeat(mtimeMs, world.monotonicMs())
    })
    await Promise.all(looks)
  }

  /** Before anything is judged: what is on record of an account holds for the groups that use it now. */
  #assignAccounts(): Promise<void> {
    const groups = [...this.#deps.config.groups.values()]
    return this.#deps.store.assignAccounts(new Map(groups.map(({ name, account }) => [name, account])))
  }

  #assignZones(): Promise<void> {
    const { config, store, world } = this.#deps
    const zones = [...config.groups.values()].map(({ name, timeZone }): [string, string] => [name, timeZone])
    return store.assignZones(new Map(zones), world.now())
  }

  async #removeAllLeftovers(): Promise<void> {
    // A lost one is being probed, and that removes its leftovers before anything is started on it again.
    const within = [...this.#deps.runtimes.values()].filter((runtime) => !this.#runtimes.isLost(runtime.name))
    await Promise.all(
      within.map((runtime) =>
        this.#removeLeftovers(runtime).catch((error: unknown) => this.#runtimes.noteLost(runtime, wordsOf(error))),
      ),
    )
  }

  /** Throws only when the runtime cannot be asked. */
  async #removeLeftovers(runtime: Runtime): Promise<void> {
    try {
      await this.#leftovers.clear(runtime)
    } catch (error) {
      if (hasCode(error, 'RUNTIME_UNREACHABLE')) throw error
      this.#onError(`leftovers of ${runtime.name}`, error)
    }
  }

  /** Nobody is judged by time the judge did not see: every run gets a full window. */
  #noteStalled(stalledMs: number): void {
    const { world, watches, store } = this.#deps
    for (const watch of watches.all()) watch.noteStall(stalledMs, world.monotonicMs())
    const line = { sessionId: null, epoch: null, messageId: null, detail: { stalledMs: Math.round(stalledMs) } }
    store.append([{ ...line, type: 'host:stalled', atMs: world.now() }]).catch((error: unknown) => {
      this.#onError('noting a stall', error)
    })
  }

  #noteExit(runName: string): void {
    for (const watch of this.#deps.watches.all()) {
      if (watch.run.name === runName) void this.trigger(watch.run.sessionId, 'exit')
    }
  }

  #noteLost(name: string, because: string): void {
    const runtime = this.#deps.runtimes.get(name)
    if (runtime !== undefined) this.#runtimes.noteLost(runtime, because)
  }

  #noteRecovered(): void {
    this.#lookAtLiveRuns('sweep').catch((error: unknown) => this.#onError('looking after a recovery', error))
    this.#admission.kick()
  }

  #runtimeNameOf(sessionId: string): string | undefined {
    return this.#deps.config.groups.get(sessionId.slice(0, sessionId.indexOf('/')))?.runtime
  }

  #noteSessionError(sessionId: string, error: unknown, failures: number): void {
    if (hasCode(error, 'RUNTIME_UNREACHABLE')) {
      const runtime = this.#deps.runtimes.get(String(error.fields.runtime))
      if (runtime !== undefined) {
        this.#runtimes.noteLost(runtime, wordsOf(error))
        return
      }
    }
    if (failures > 1) return
    this.#onError(`session ${sessionId}`, error)
    const detail = { error: wordsOf(error) }
    const line = { type: 'session:errored' as const, sessionId, epoch: null, messageId: null, detail }
    this.#deps.store.append([{ ...line, atMs: this.#deps.world.now() }]).catch(() => {
      // The log has it; a store that cannot be written must not turn one session's trouble into the host's.
    })
  }

  /** Triggers every live run and waits, at most `timeoutMs`, until none is left; false when some are. */
  async #untilNoLiveRuns(timeoutMs: number): Promise<boolean> {
    const { store, world } = this.#deps
    return new Promise((resolve) => {
      const onError = (error: unknown) => this.#onError('draining', error)
      this.#lookAtLiveRuns('drain').catch(onError)
      const finish = (isEmpty: boolean) => {
        cancelTimer()
        this.#onReconciled.delete(check)
        resolve(isEmpty)
      }
      // A look that fails has not seen that there are none; the next one may.
      const check = () => void store.listLiveRuns().then((live) => live.length === 0 && finish(true), onError)
      const cancelTimer = world.setTimer(timeoutMs, () => finish(false))
      this.#onReconciled.add(check)
      check()
    })
  }
}

/** Resolves when `work` has ended, however it did, or after `waitMs`. */
function within(world: World, waitMs: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancelTimer = world.setTimer(waitMs, resolve)
    const finish = () => {
      cancelTimer()
      resolve()
    }
    work.then(finish, finish)
  })
}
