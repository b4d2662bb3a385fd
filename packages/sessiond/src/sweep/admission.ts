import type { HostConfig } from '../config/config.ts'
import { backoffMs } from '../decide/backoff.ts'
import { type AdmissionDecision, decideAdmission, type Occupant } from '../decide/decide-admission.ts'
import type { Run } from '../model/run.ts'
import type { RunWatches } from '../observe/run-watch.ts'
import type { Store, WaitingSession } from '../store/store.ts'
import type { World } from '../world.ts'

export interface AdmissionDeps {
  readonly config: HostConfig
  readonly world: World
  readonly store: Store
  readonly watches: RunWatches
  readonly isRuntimeLost: (runtime: string) => boolean
  readonly admit: (sessionId: string) => void
  readonly evict: (sessionId: string) => void
  readonly onError: (error: unknown) => void
}

const ERROR_AGAIN_MS = 1_000

/** A session whose step throws (a full disk, a damaged row) gets no slot for 100 ms, 200 ms … at most 30 s. */
const REST = { baseMs: 100, maxMs: 30_000 }
const FORGET_AFTER_MS = 60_000

/** Gives free slots to waiting sessions, and wakes by itself when the next message falls due. */
export class Admission {
  readonly #deps: AdmissionDeps
  /** Given a slot, not yet seen to start or to fail. */
  readonly #admitted = new Set<string>()
  /** Threw when last looked at. Without a rest it would be given its slot, throw and be given it again, for ever. */
  readonly #resting = new Map<string, { failures: number; untilMs: number }>()
  #isRunning = false
  #isAskedAgain = false
  #isStopped = false
  #cancelTimer: () => void = () => {}

  constructor(deps: AdmissionDeps) {
    this.#deps = deps
  }

  /** Looks at who waits; calls that come meanwhile are merged into one more look. */
  kick(): void {
    if (this.#isStopped) return
    if (this.#isRunning) {
      this.#isAskedAgain = true
      return
    }
    this.#isRunning = true
    void this.#pass()
  }

  /** A session's reconcile ended, whatever came of its slot. */
  done(sessionId: string): void {
    if (this.#admitted.delete(sessionId)) this.#resting.delete(sessionId)
    this.kick()
  }

  /** A session's reconcile threw: its slot goes to others, and it rests. */
  failed(sessionId: string): void {
    this.#admitted.delete(sessionId)
    const failures = (this.#resting.get(sessionId)?.failures ?? 0) + 1
    const untilMs = this.#deps.world.monotonicMs() + backoffMs(REST, failures - 1, 0)
    this.#resting.set(sessionId, { failures, untilMs })
    this.kick()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelTimer()
  }

  async #pass(): Promise<void> {
    this.#cancelTimer()
    this.#forgetRested()
    let nextInMs: number | null = ERROR_AGAIN_MS
    try {
      await this.#admitWaiting()
      nextInMs = await this.#untilNextDueMs()
    } catch (error) {
      this.#deps.onError(error)
    }
    this.#isRunning = false
    if (this.#isStopped) return
    if (this.#isAskedAgain) {
      this.#isAskedAgain = false
      // By way of a timer: were there ever a circle of promises, the host's other timers and sockets would starve.
      this.#cancelTimer = this.#deps.world.setTimer(0, () => this.kick())
    } else if (nextInMs !== null) {
      this.#cancelTimer = this.#deps.world.setTimer(nextInMs, () => this.kick())
    }
  }

  /** Who would get a slot now, and who would have to make room; changes nothing. */
  async decide(): Promise<AdmissionDecision> {
    const { store, world, config } = this.#deps
    // Those that cannot run now must not fill the list (B13).
    const perGroup = config.runs.max + this.#admitted.size + this.#resting.size
    const waiting = (await store.listWaiting(world.now(), perGroup)).filter((session) => this.#canRun(session))
    if (waiting.length === 0) return { start: [], evict: [] }
    const live = await store.listLiveRuns()
    const isLive = new Set(live.map((run) => run.sessionId))
    const pending = [...this.#admitted].filter((sessionId) => !isLive.has(sessionId))
    const occupants = live.map((run) => this.#occupantOf(run))
    for (const sessionId of pending) {
      occupants.push({ sessionId, group: groupOf(sessionId), idleForMs: null, isLeaving: false })
    }
    const starting = live.filter((run) => run.state === 'starting').length + pending.length
    const policy = { maxRuns: config.runs.max, maxStarting: config.runs.maxStarting }
    return decideAdmission(waiting, occupants, starting, policy)
  }

  async #admitWaiting(): Promise<void> {
    const { start, evict } = await this.decide()
    for (const sessionId of start) {
      this.#admitted.add(sessionId)
      this.#deps.admit(sessionId)
    }
    for (const sessionId of evict) this.#deps.evict(sessionId)
  }

  /** Long after its rest nobody needs to know any more how often a session had failed. */
  #forgetRested(): void {
    const nowMs = this.#deps.world.monotonicMs()
    for (const [sessionId, { untilMs }] of this.#resting) {
      if (untilMs + FORGET_AFTER_MS < nowMs) this.#resting.delete(sessionId)
    }
  }

  #canRun(session: WaitingSession): boolean {
    const group = this.#deps.config.groups.get(session.group)
    if (group === undefined || this.#deps.isRuntimeLost(group.runtime)) return false
    const restingUntilMs = this.#resting.get(session.sessionId)?.untilMs ?? 0
    return !this.#admitted.has(session.sessionId) && restingUntilMs <= this.#deps.world.monotonicMs()
  }

  #occupantOf({ sessionId, group, state, runtime }: Run): Occupant {
    // What cannot be asked to stop makes nobody room.
    const canLeave = !this.#deps.isRuntimeLost(runtime)
    const idleForMs = canLeave ? this.#idleForMs(sessionId, state) : null
    return { sessionId, group, idleForMs, isLeaving: canLeave && state === 'stopping' }
  }

  #idleForMs(sessionId: string, state: string): number | null {
    if (state !== 'running') return null
    return this.#deps.watches.find(sessionId)?.idleForMs(this.#deps.world.monotonicMs()) ?? null
  }

  async #untilNextDueMs(): Promise<number | null> {
    const { world, store } = this.#deps
    const nowMs = world.now()
    const dueAtMs = await store.nextDueAtMs(nowMs)
    const waits = [...this.#resting.values()].map(({ untilMs }) => untilMs - world.monotonicMs()).filter((ms) => ms > 0)
    if (dueAtMs !== null) waits.push(dueAtMs - nowMs)
    return waits.length === 0 ? null : Math.max(1, Math.min(...waits))
  }
}

function groupOf(sessionId: string): string {
  return sessionId.slice(0, sessionId.indexOf('/'))
}
