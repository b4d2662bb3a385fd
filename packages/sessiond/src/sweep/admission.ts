import type { HostConfig } from '../config/config.ts'
import { backoffMs } from '../decide/backoff.ts'
import { roomIn } from '../decide/decide-account.ts'
import {
  type AccountRooms,
  type AdmissionDecision,
  decideAdmission,
  type Occupant,
} from '../decide/decide-admission.ts'
import type { AccountInUse } from '../model/account.ts'
import type { Run } from '../model/run.ts'
import type { DiskFloor } from '../observe/disk-floor.ts'
import type { RunWatches } from '../observe/run-watch.ts'
import type { Store, WaitingSession } from '../store/store.ts'
import type { World } from '../world.ts'

export interface AdmissionDeps {
  readonly config: HostConfig
  readonly world: World
  readonly store: Store
  readonly watches: RunWatches
  readonly diskFloor: Pick<DiskFloor, 'look' | 'read'>
  readonly isRuntimeLost: (runtime: string) => boolean
  readonly admit: (sessionId: string) => void
  readonly evict: (sessionId: string) => void
  readonly onError: (error: unknown) => void
}

const ERROR_AGAIN_MS = 1_000
/** Nobody tells that a disk has room again: while somebody waits for that, it is looked at so often. */
const DISK_AGAIN_MS = 2_000

/** A session whose step throws (a full disk, a damaged row) gets no slot for 100 ms, 200 ms … at most 30 s. */
const REST = { baseMs: 100, maxMs: 30_000 }
const FORGET_AFTER_MS = 60_000

/** Gives free slots to waiting sessions, and wakes by itself when the next message falls due. */
export class Admission {
  readonly #deps: AdmissionDeps
  /** Given a slot, not yet seen to start or to fail. */
  readonly #admitted = new Set<string>()
  /** Threw with the slot it was given. Without a rest it would be given the slot, throw and be given it again, for ever. */
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

  /** A session's reconcile ended. `usedSlot`: it knew of the slot it was given, whatever came of it. */
  done(sessionId: string, usedSlot: boolean): void {
    if (usedSlot) {
      this.#admitted.delete(sessionId)
      this.#resting.delete(sessionId)
    }
    this.kick()
  }

  /** A session threw with its slot: the slot goes to others, and the session rests. */
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
      const wallMs = this.#deps.world.now()
      await this.#deps.store.stepAccounts(wallMs, this.#deps.config.provider)
      nextInMs = await this.#untilNextMs(wallMs, await this.#admitWaiting(wallMs))
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
    const { diskFloor, world } = this.#deps
    return (await this.#look(world.now(), () => diskFloor.read())).decision
  }

  /** Also tells when, on the monotonic clock, somebody who was passed over may get a slot by time alone. */
  async #look(
    wallMs: number,
    lookAtDisk: () => Promise<{ readonly isLow: boolean }>,
  ): Promise<{ decision: AdmissionDecision; againAtMs: number }> {
    const { store, world, config } = this.#deps
    // Those that cannot run now must not fill the list (B13).
    const perGroup = config.runs.max + this.#admitted.size + this.#resting.size
    const mayRun = (await store.listWaiting(wallMs, perGroup)).filter((session) => this.#mayRun(session))
    const nowMs = world.monotonicMs()
    const waiting = mayRun.filter(({ sessionId }) => this.#restedAtMs(sessionId) <= nowMs)
    const resting = mayRun.map(({ sessionId }) => this.#restedAtMs(sessionId)).filter((atMs) => atMs > nowMs)
    const restedAtMs = Math.min(Number.POSITIVE_INFINITY, ...resting)
    if (waiting.length === 0) return { decision: { start: [], evict: [] }, againAtMs: restedAtMs }
    const isBelowDiskFloor = (await lookAtDisk()).isLow
    const live = await store.listLiveRuns()
    const isLive = new Set(live.map((run) => run.sessionId))
    const pending = [...this.#admitted].filter((sessionId) => !isLive.has(sessionId))
    const occupants = live.map((run) => this.#occupantOf(run))
    for (const sessionId of pending) {
      occupants.push({ sessionId, group: groupOf(sessionId), idleForMs: null, isLeaving: false })
    }
    const starting = live.filter((run) => run.state === 'starting').length + pending.length
    const policy = { maxRuns: config.runs.max, maxStarting: config.runs.maxStarting, isBelowDiskFloor }
    const rooms = this.#roomsOf(await store.listAccounts(), pending, wallMs)
    const againAtMs = isBelowDiskFloor ? Math.min(restedAtMs, nowMs + DISK_AGAIN_MS) : restedAtMs
    return { decision: decideAdmission(waiting, occupants, starting, policy, rooms), againAtMs }
  }

  /** Who was given a slot and is not seen to run yet takes room in its account, as it takes one of the slots. */
  #roomsOf(accounts: readonly AccountInUse[], pending: readonly string[], wallMs: number): AccountRooms {
    const accountOf = (group: string) => this.#deps.config.groups.get(group)?.account ?? group
    const rooms = accounts.map((account): [string, number] => {
      const taken = pending.filter((sessionId) => accountOf(groupOf(sessionId)) === account.name)
      return [account.name, roomIn(account, wallMs) - taken.length]
    })
    return { accountOf, rooms: new Map(rooms) }
  }

  async #admitWaiting(wallMs: number): Promise<number> {
    const { decision, againAtMs } = await this.#look(wallMs, () => this.#deps.diskFloor.look())
    const { start, evict } = decision
    for (const sessionId of start) {
      this.#admitted.add(sessionId)
      this.#deps.admit(sessionId)
    }
    for (const sessionId of evict) this.#deps.evict(sessionId)
    return againAtMs
  }

  /** Long after its rest nobody needs to know any more how often a session had failed. */
  #forgetRested(): void {
    const nowMs = this.#deps.world.monotonicMs()
    for (const [sessionId, { untilMs }] of this.#resting) {
      if (untilMs + FORGET_AFTER_MS < nowMs) this.#resting.delete(sessionId)
    }
  }

  #mayRun(session: WaitingSession): boolean {
    const group = this.#deps.config.groups.get(session.group)
    return group !== undefined && !this.#admitted.has(session.sessionId) && !this.#deps.isRuntimeLost(group.runtime)
  }

  #restedAtMs(sessionId: string): number {
    return this.#resting.get(sessionId)?.untilMs ?? Number.NEGATIVE_INFINITY
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

  /** `wallMs`: when it was looked at who waits. By a later clock, what fell due in between would be nobody's. */
  async #untilNextMs(wallMs: number, againAtMs: number): Promise<number | null> {
    const { world, store } = this.#deps
    const dueAtMs = await store.nextDueAtMs(wallMs)
    const untilDueMs = dueAtMs === null ? Number.POSITIVE_INFINITY : dueAtMs - world.now()
    const nextInMs = Math.min(
      untilDueMs,
      (await this.#accountsChangeAtMs(wallMs)) - world.now(),
      againAtMs - world.monotonicMs(),
    )
    return nextInMs === Number.POSITIVE_INFINITY ? null : Math.max(1, nextInMs)
  }

  /**
   * When the next account may be probed, or has worked without trouble for long enough. Those whose park is over are
   * looked at whenever something ends or falls due.
   */
  async #accountsChangeAtMs(wallMs: number): Promise<number> {
    const changes = (await this.#deps.store.listAccounts()).map(({ state, parkedUntilMs, stepAtMs }) => {
      if (state === 'parked') return parkedUntilMs > wallMs ? parkedUntilMs : Number.POSITIVE_INFINITY
      return stepAtMs ?? Number.POSITIVE_INFINITY
    })
    return Math.min(Number.POSITIVE_INFINITY, ...changes)
  }
}

function groupOf(sessionId: string): string {
  return sessionId.slice(0, sessionId.indexOf('/'))
}
