import type { HostConfig } from '../config/config.ts'
import { type AdmissionDecision, decideAdmission, type Occupant } from '../decide/decide-admission.ts'
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

/** Gives free slots to waiting sessions, and wakes by itself when the next message falls due. */
export class Admission {
  readonly #deps: AdmissionDeps
  /** Given a slot, not yet seen to start or to fail. */
  readonly #admitted = new Set<string>()
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
    this.#admitted.delete(sessionId)
    this.kick()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelTimer()
  }

  async #pass(): Promise<void> {
    this.#cancelTimer()
    let nextInMs: number | null = ERROR_AGAIN_MS
    try {
      await this.#admitWaiting()
      nextInMs = await this.#untilNextDueMs()
    } catch (error) {
      this.#deps.onError(error)
    }
    this.#isRunning = false
    if (this.#isAskedAgain) {
      this.#isAskedAgain = false
      this.kick()
    } else if (nextInMs !== null && !this.#isStopped) {
      this.#cancelTimer = this.#deps.world.setTimer(nextInMs, () => this.kick())
    }
  }

  /** Who would get a slot now, and who would have to make room; changes nothing. */
  async decide(): Promise<AdmissionDecision> {
    const { store, world, config } = this.#deps
    const waiting = (await store.listWaiting(world.now(), config.runs.max)).filter((session) => this.#canRun(session))
    if (waiting.length === 0) return { start: [], evict: [] }
    const live = await store.listLiveRuns()
    const isLive = new Set(live.map((run) => run.sessionId))
    const pending = [...this.#admitted].filter((sessionId) => !isLive.has(sessionId))
    const occupants = live.map(({ sessionId, group, state }): Occupant => {
      return { sessionId, group, idleForMs: this.#idleForMs(sessionId, state), isLeaving: state === 'stopping' }
    })
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

  #canRun(session: WaitingSession): boolean {
    const group = this.#deps.config.groups.get(session.group)
    return group !== undefined && !this.#admitted.has(session.sessionId) && !this.#deps.isRuntimeLost(group.runtime)
  }

  #idleForMs(sessionId: string, state: string): number | null {
    if (state !== 'running') return null
    return this.#deps.watches.find(sessionId)?.idleForMs(this.#deps.world.monotonicMs()) ?? null
  }

  async #untilNextDueMs(): Promise<number | null> {
    const nowMs = this.#deps.world.now()
    const dueAtMs = await this.#deps.store.nextDueAtMs(nowMs)
    return dueAtMs === null ? null : Math.max(1, dueAtMs - nowMs)
  }
}

function groupOf(sessionId: string): string {
  return sessionId.slice(0, sessionId.indexOf('/'))
}
