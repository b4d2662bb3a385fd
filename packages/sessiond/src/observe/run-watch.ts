import type { StopProgress } from '../decide/decide-stop.ts'
import type { RunClocks } from '../decide/decide-stuck.ts'
import type { SeenState } from '../mailbox/mailbox.ts'
import type { RunKey, SessionFacts } from '../store/store.ts'

/** Bound on evidence told of one run: a hostile one may make up any amount. */
const MAX_TOLD = 200

interface ClaimSighting {
  readonly seenAtMs: number
  readonly heartbeatMtimeMs: number | null
}

/**
 * What this host has noticed of one live run, on its own monotonic clock: when it saw a clock move, never what a
 * clock said. A restart loses it on purpose: every run then gets a full window (invariant 11). No fact that has to
 * survive lives here.
 */
export class RunWatch {
  readonly run: RunKey
  /** True until the mailbox is known to show what the store wants: after adoption, a cancel, a take. */
  isMailboxBehind = true
  /**
   * True while an exit seen now may have happened unseen, with the host or the runtime away: then nobody knows
   * whose fault it was, and no try is spent (invariant 5). Cleared by the first look that finds the run alive.
   */
  isExcused = true
  /** The runtime's interruptions when it last said that this run lives; null: this host has not yet heard so. */
  interruptionsAtSight: number | null = null
  /** A person wants this run to end; the claims it held are already marked as cancelled in the store. */
  isStopRequested = false
  /** Looks at its mailbox in a row that found it locked. */
  busyLooks = 0
  /** The same once it has ended: replies in it are worth waiting for, but not for ever. */
  busyFinalLooks = 0
  /** The outbox as it was before the last look that took in everything; null: none has yet. */
  takenStamp: string | null = null
  /** Sweeps since then that found it so again, and did not look inside. */
  skippedLooks = 0
  /** What was last stored of session_state, to write only changes. */
  sessionStateText = ''
  /** Ends the file notification; set once the run was let go. */
  unwatch: () => void = () => {}
  #watchedSinceMs: number
  #heartbeat: { mtimeMs: number; movedAtMs: number } | null = null
  readonly #claims = new Map<string, ClaimSighting>()
  readonly #cancels = new Map<string, number>()
  readonly #told = new Set<string>()
  #declaredToolMs: number | null = null
  #idleSinceMs: number | null = null
  #unheededSinceMs: number | null = null
  #stopSinceMs: number | null = null
  #killSinceMs: number | null = null
  #sent: StopProgress['sent'] = null

  constructor(run: RunKey, monotonicMs: number) {
    this.run = run
    this.#watchedSinceMs = monotonicMs
  }

  /** The host itself was late or asleep: every age starts anew. */
  restart(monotonicMs: number): void {
    this.#watchedSinceMs = monotonicMs
    if (this.#heartbeat !== null) this.#heartbeat = { ...this.#heartbeat, movedAtMs: monotonicMs }
    for (const [id, claim] of this.#claims) this.#claims.set(id, { ...claim, seenAtMs: monotonicMs })
    for (const id of this.#cancels.keys()) this.#cancels.set(id, monotonicMs)
    if (this.#stopSinceMs !== null) this.#stopSinceMs = monotonicMs
    if (this.#killSinceMs !== null) this.#killSinceMs = monotonicMs
  }

  noteHeartbeat(mtimeMs: number | null, monotonicMs: number): void {
    if (mtimeMs === null || mtimeMs === this.#heartbeat?.mtimeMs) return
    this.#heartbeat = { mtimeMs, movedAtMs: monotonicMs }
  }

  noteState(state: SeenState | null): void {
    if (state === null) return
    this.#declaredToolMs = state.tool === null ? null : state.toolDeclaredTimeoutMs
  }

  /** Brings the sightings in line with what the store says is claimed, handed over unclaimed, and still to hand over. */
  noteFacts(
    {
      claimed,
      projectedUnclaimed,
      dueUnprojected,
    }: Pick<SessionFacts, 'claimed' | 'projectedUnclaimed' | 'dueUnprojected'>,
    monotonicMs: number,
  ): void {
    const ids = new Set(claimed.map((message) => message.id))
    for (const id of this.#claims.keys()) if (!ids.has(id)) this.#claims.delete(id)
    for (const id of this.#cancels.keys()) if (!ids.has(id)) this.#cancels.delete(id)
    for (const { id, cancelRequestedAtMs } of claimed) {
      if (!this.#claims.has(id)) {
        this.#claims.set(id, { seenAtMs: monotonicMs, heartbeatMtimeMs: this.#heartbeat?.mtimeMs ?? null })
      }
      if (cancelRequestedAtMs !== null && !this.#cancels.has(id)) this.#cancels.set(id, monotonicMs)
    }
    const isUnheeded = claimed.length === 0 && projectedUnclaimed > 0
    this.#unheededSinceMs = isUnheeded ? (this.#unheededSinceMs ?? monotonicMs) : null
    const isBusy = claimed.length + projectedUnclaimed + dueUnprojected > 0
    this.#idleSinceMs = isBusy ? null : (this.#idleSinceMs ?? monotonicMs)
  }

  /** What of this evidence the journal does not hold yet, so that it says each once, not at every look. */
  untold(evidence: Iterable<string>): ReadonlySet<string> {
    const news = [...new Set(evidence)].filter((piece) => !this.#told.has(piece))
    return new Set(news.slice(0, MAX_TOLD - this.#told.size))
  }

  /** The lines that tell it are committed; not before, or a full disk loses them for good. */
  noteTold(evidence: Iterable<string>): void {
    for (const piece of evidence) this.#told.add(piece)
  }

  noteStop(monotonicMs: number): void {
    this.#stopSinceMs ??= monotonicMs
  }

  noteKill(monotonicMs: number): void {
    this.#killSinceMs ??= monotonicMs
  }

  /** This host's signal went out. */
  noteSent(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#sent !== 'SIGKILL') this.#sent = signal
  }

  clocks(monotonicMs: number): RunClocks {
    return {
      watchedForMs: monotonicMs - this.#watchedSinceMs,
      heartbeatAgeMs: this.#heartbeat === null ? null : monotonicMs - this.#heartbeat.movedAtMs,
      claims: [...this.#claims].map(([messageId, claim]) => ({
        messageId,
        ageMs: monotonicMs - claim.seenAtMs,
        hasBeatenSince: this.#heartbeat !== null && this.#heartbeat.mtimeMs !== claim.heartbeatMtimeMs,
      })),
      declaredToolMs: this.#declaredToolMs,
      unheededForMs: this.#unheededSinceMs === null ? null : monotonicMs - this.#unheededSinceMs,
    }
  }

  stopProgress(monotonicMs: number): StopProgress | null {
    if (this.#stopSinceMs === null) return null
    return {
      sinceIntentMs: monotonicMs - this.#stopSinceMs,
      sinceKillMs: this.#killSinceMs === null ? null : monotonicMs - this.#killSinceMs,
      sent: this.#sent,
    }
  }

  cancelAgeMs(monotonicMs: number): number | null {
    if (this.#cancels.size === 0) return null
    return monotonicMs - Math.min(...this.#cancels.values())
  }

  /** Null while busy. */
  idleForMs(monotonicMs: number): number | null {
    return this.#idleSinceMs === null ? null : monotonicMs - this.#idleSinceMs
  }
}

/** The watches of all live runs this host knows, by session. */
export class RunWatches {
  readonly #bySession = new Map<string, RunWatch>()

  /**
   * The watch of exactly this run; a leftover one of an earlier epoch is ended and replaced. Who still speaks of a run
   * that a later one has followed gets a watch of its own, which nobody else sees.
   */
  of(run: RunKey, monotonicMs: number): RunWatch {
    const known = this.#bySession.get(run.sessionId)
    if (known !== undefined && known.run.name === run.name) return known
    if (known !== undefined && known.run.epoch > run.epoch) return new RunWatch(run, monotonicMs)
    known?.unwatch()
    const watch = new RunWatch(run, monotonicMs)
    this.#bySession.set(run.sessionId, watch)
    return watch
  }

  /** The same for who only looks: a run nobody watches stays unwatched. */
  peek(run: RunKey, monotonicMs: number): RunWatch {
    const known = this.#bySession.get(run.sessionId)
    return known?.run.name === run.name ? known : new RunWatch(run, monotonicMs)
  }

  find(sessionId: string): RunWatch | undefined {
    return this.#bySession.get(sessionId)
  }

  drop(run: RunKey): void {
    const known = this.#bySession.get(run.sessionId)
    if (known?.run.name !== run.name) return
    known.unwatch()
    this.#bySession.delete(run.sessionId)
  }

  all(): IterableIterator<RunWatch> {
    return this.#bySession.values()
  }
}
