import type { RecordingLine, RetryBrief } from '@sessiond/protocol'
import type { ClassicClocks } from '../decide/decide-classic.ts'
import type { LivenessObservation } from '../decide/decide-liveness.ts'
import type { StopProgress } from '../decide/decide-stop.ts'
import type { SeenState } from '../mailbox/mailbox.ts'
import type { RunHandle } from '../model/run.ts'
import type { RunKey, SessionFacts } from '../store/store.ts'
import type { ActivitySample } from './activity-meter.ts'
import type { SampledRun } from './activity-sampler.ts'
import { FlightRecorder } from './flight-recorder.ts'
import { type ClockMove, type RunCircumstances, RunClocks } from './run-clocks.ts'
import { movesBetween } from './state-moves.ts'

/** Bound on evidence told of one run: a hostile one may make up any amount. */
const MAX_TOLD = 200

/** A host that stood still this long was asleep, and its runs with it: they get their full windows again. */
const AWAY_MS = 30_000

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
  /** When what could not all be taken is to be looked at again, by the monotonic clock; null: nothing is left. */
  takeAgainAtMs: number | null = null
  /** The outbox as it was before the last look that took in everything; null: none has yet. */
  takenStamp: string | null = null
  /** Sweeps since then that found it so again, and did not look inside. */
  skippedLooks = 0
  /** What was last stored of session_state, to write only changes. */
  sessionStateText = ''
  /** What its messages' earlier tries came to, by message. */
  readonly briefs = new Map<string, RetryBrief>()
  /** Ends the file notification; set once the run was let go. */
  unwatch: () => void = () => {}
  #watchedSinceMs: number
  #heartbeat: { mtimeMs: number; movedAtMs: number } | null = null
  readonly #claims = new Map<string, ClaimSighting>()
  readonly #cancels = new Map<string, number>()
  readonly #told = new Set<string>()
  readonly #clocks: RunClocks
  readonly #recorder: FlightRecorder
  #state: SeenState | null = null
  #handle: RunHandle | null = null
  #idleSinceMs: number | null = null
  #unheededSinceMs: number | null = null
  #tries = 0
  #wasUnknown = false
  #unreadableSinceMs: number | null = null
  #stopSinceMs: number | null = null
  #killSinceMs: number | null = null
  #sent: StopProgress['sent'] = null

  constructor(run: RunKey, monotonicMs: number) {
    this.run = run
    this.#watchedSinceMs = monotonicMs
    this.#clocks = new RunClocks(monotonicMs)
    this.#recorder = new FlightRecorder(monotonicMs)
  }

  /** The host stood still: nobody is judged by time the judge did not see (invariant 11). */
  noteStall(stalledMs: number, monotonicMs: number): void {
    this.#recorder.noteStall(stalledMs, monotonicMs)
    this.#clocks.skip(stalledMs, monotonicMs)
    if (stalledMs >= AWAY_MS) this.#clocks.restart(monotonicMs)
    this.#restart(monotonicMs, stalledMs)
  }

  #restart(monotonicMs: number, stalledMs: number): void {
    const skip = (sinceMs: number) => Math.min(sinceMs + stalledMs, monotonicMs)
    if (this.#unheededSinceMs !== null) this.#unheededSinceMs = skip(this.#unheededSinceMs)
    if (this.#idleSinceMs !== null) this.#idleSinceMs = skip(this.#idleSinceMs)
    this.#watchedSinceMs = monotonicMs
    if (this.#heartbeat !== null) this.#heartbeat = { ...this.#heartbeat, movedAtMs: monotonicMs }
    for (const [id, claim] of this.#claims) this.#claims.set(id, { ...claim, seenAtMs: monotonicMs })
    for (const id of this.#cancels.keys()) this.#cancels.set(id, monotonicMs)
    if (this.#stopSinceMs !== null) this.#stopSinceMs = monotonicMs
    if (this.#killSinceMs !== null) this.#killSinceMs = monotonicMs
  }

  /** It was let go now; what came before was the host's and the runtime's to do. */
  noteLetGo(interruptions: number, monotonicMs: number): void {
    this.interruptionsAtSight = interruptions
    this.#clocks.restart(monotonicMs)
  }

  /** The runtime could not be asked of it. */
  noteUnknown(): void {
    this.isExcused = true
    this.#wasUnknown = true
  }

  /** The runtime says that it lives. Where it could not say so for a while, the run may have been held up with it. */
  noteAlive(interruptions: number | null, monotonicMs: number): void {
    this.isExcused = false
    this.interruptionsAtSight = interruptions
    if (this.#wasUnknown) this.#clocks.restart(monotonicMs)
    this.#wasUnknown = false
  }

  /** Its outbox was read, or could not be; what it says of itself is then as old as the last look that could. */
  noteOutbox(isReadable: boolean, monotonicMs: number): void {
    this.#unreadableSinceMs = isReadable ? null : (this.#unreadableSinceMs ?? monotonicMs)
  }

  unreadableForMs(monotonicMs: number): number {
    return this.#unreadableSinceMs === null ? 0 : monotonicMs - this.#unreadableSinceMs
  }

  noteHeartbeat(mtimeMs: number | null, monotonicMs: number): void {
    if (mtimeMs === null || mtimeMs === this.#heartbeat?.mtimeMs) return
    this.#heartbeat = { mtimeMs, movedAtMs: monotonicMs }
    this.#note({ clock: 'beat' }, monotonicMs)
  }

  noteState(state: SeenState | null, monotonicMs: number): void {
    if (state === null) return
    for (const move of movesBetween(this.#state, state)) this.#note(move, monotonicMs)
    this.#state = state
  }

  /** What a sampler has to ask for; null: it has nothing in hand, and what it does meanwhile is judged by nobody. */
  sampled(): SampledRun | null {
    return this.#claims.size === 0 || this.#handle === null ? null : { name: this.run.name, handle: this.#handle }
  }

  noteHandle(handle: RunHandle | null): void {
    this.#handle = handle
  }

  noteActivity(sample: ActivitySample, monotonicMs: number): void {
    this.#note({ clock: 'activity', sample }, monotonicMs)
  }

  /** It says what makes its silence legitimate, and beats by a timer: only then do those clocks mean anything. */
  get keepsClocks(): boolean {
    return this.#state?.openWork != null
  }

  /** The newest tool that is waited for, by its own word; null: none. */
  get toolInFlight(): string | null {
    return this.#state?.tool ?? null
  }

  /** What moved last, oldest first. */
  recording(): readonly RecordingLine[] {
    return this.#recorder.lines()
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
    for (const messageId of this.#claims.keys()) {
      if (ids.has(messageId)) continue
      this.#claims.delete(messageId)
      this.#note({ clock: 'claim-end', messageId }, monotonicMs)
    }
    for (const id of this.#cancels.keys()) if (!ids.has(id)) this.#cancels.delete(id)
    for (const { id, cancelRequestedAtMs } of claimed) {
      if (!this.#claims.has(id)) {
        this.#claims.set(id, { seenAtMs: monotonicMs, heartbeatMtimeMs: this.#heartbeat?.mtimeMs ?? null })
        this.#note({ clock: 'claim', messageId: id }, monotonicMs)
      }
      if (cancelRequestedAtMs !== null && !this.#cancels.has(id)) this.#cancels.set(id, monotonicMs)
    }
    this.#tries = Math.max(0, ...claimed.map(({ tries }) => tries))
    const isUnheeded = claimed.length === 0 && projectedUnclaimed > 0
    this.#unheededSinceMs = isUnheeded ? (this.#unheededSinceMs ?? monotonicMs) : null
    const isBusy = claimed.length + projectedUnclaimed + dueUnprojected > 0
    this.#idleSinceMs = isBusy ? null : (this.#idleSinceMs ?? monotonicMs)
  }

  /** A message has ended. One taken and ended between two looks was never seen claimed, and belongs into the recording. */
  noteEnded(messageId: string, monotonicMs: number): void {
    if (!this.#claims.has(messageId)) this.#note({ clock: 'claim', messageId }, monotonicMs)
    this.#claims.delete(messageId)
    this.#note({ clock: 'claim-end', messageId }, monotonicMs)
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

  /** The clocks kept apart, at this instant. */
  liveness(monotonicMs: number, seen: LivenessObservation['seen']): LivenessObservation {
    const since = (momentMs: number | null) => (momentMs === null ? null : monotonicMs - momentMs)
    const circumstances: RunCircumstances = {
      seen,
      tries: this.#tries,
      unheededForMs: since(this.#unheededSinceMs),
      idleForMs: since(this.#idleSinceMs),
    }
    return this.#clocks.observe(monotonicMs, circumstances)
  }

  clocks(monotonicMs: number): ClassicClocks {
    return {
      watchedForMs: monotonicMs - this.#watchedSinceMs,
      heartbeatAgeMs: this.#heartbeat === null ? null : monotonicMs - this.#heartbeat.movedAtMs,
      claims: [...this.#claims].map(([messageId, claim]) => ({
        messageId,
        ageMs: monotonicMs - claim.seenAtMs,
        hasBeatenSince: this.#heartbeat !== null && this.#heartbeat.mtimeMs !== claim.heartbeatMtimeMs,
      })),
      declaredToolMs: this.#state?.tool == null ? null : this.#state.toolDeclaredTimeoutMs,
      unheededForMs: this.#unheededSinceMs === null ? null : monotonicMs - this.#unheededSinceMs,
    }
  }

  #note(move: ClockMove, monotonicMs: number): void {
    this.#clocks.note(move, monotonicMs)
    this.#recorder.note(move, monotonicMs)
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
