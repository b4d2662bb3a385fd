import type { HostConfig, RetryPolicy, StuckPolicy } from '../config/config.ts'
import type { RunEnd, RunExit } from '../model/run.ts'
import type { DiskRoom } from '../observe/disk-floor.ts'
import type { SeenRun } from '../runtime/runtime.ts'
import type { SessionFacts } from '../store/store.ts'
import { type ClassicClocks, decideClassic } from './decide-classic.ts'
import { decideComingUp, decideLiveness, type LivenessDecision, type LivenessObservation } from './decide-liveness.ts'
import { decideStop, type StopProgress } from './decide-stop.ts'

/** Everything seen of one session at one instant. */
export interface SessionObservation {
  readonly nowMs: number
  readonly facts: SessionFacts
  /** What the runtime saw of the live run; null: no live run, or a start that has no handle yet. */
  readonly seen: SeenRun | null
  /** Null without a live run. */
  readonly clocks: ClassicClocks | null
  /** Null without a live run. */
  readonly liveness: LivenessObservation | null
  /** False: it says nothing of tools and waits, and is judged by its heartbeat. */
  readonly keepsClocks: boolean
  /**
   * What of the run's outbox this look rests on. `read`: all of it, now. `unread`: nobody has looked this time.
   * `unreadable`: it could not be read, and what the run says of itself may lie in it.
   */
  readonly outbox: 'read' | 'unread' | 'unreadable'
  readonly unreadableForMs: number
  readonly stop: StopProgress | null
  /** Age of the oldest unheeded cancel request among the claimed, on the monotonic clock; null: none. */
  readonly cancelAgeMs: number | null
  /** How long the run has had neither claims nor work. */
  readonly idleForMs: number
  /** True when the mailbox's content may differ from what the store wants the run to see. */
  readonly isMailboxBehind: boolean
  /** False: its group has left the configuration; what it works on may end, nothing new is begun (D20). */
  readonly isGroupConfigured: boolean
  /** True when a person asked for the end of this run. */
  readonly isStopRequested: boolean
  /** True when this session was given a slot. */
  readonly isAdmitted: boolean
  /** True when others wait for this session's slot: it gives it up as soon as it has nothing to do. */
  readonly isEvicted: boolean
  /** Set while the host shuts down: whether running work may still finish. */
  readonly drain: 'none' | 'finish-work' | 'stop-now'
  /** Room for what a new run would write; null: none is about to begin. */
  readonly disk: DiskRoom | null
}

export interface SessionPolicy {
  readonly stuck: StuckPolicy
  readonly retry: RetryPolicy
  readonly idleStopMs: number
  readonly runs: HostConfig['runs']
}

export type SessionDecision =
  | { readonly action: 'leave'; readonly because: string; readonly recheckInMs: number | null }
  | { readonly action: 'start'; readonly because: string }
  | { readonly action: 'want-slot'; readonly because: string }
  | { readonly action: 'adopt-start'; readonly because: string }
  | { readonly action: 'abort-start'; readonly because: string }
  | { readonly action: 'project'; readonly because: string }
  | {
      readonly action: 'stop'
      readonly because: RunEnd
      readonly evidence: Readonly<Record<string, unknown>>
    }
  | { readonly action: 'ask-again'; readonly because: string }
  | { readonly action: 'kill'; readonly because: string }
  | { readonly action: 'quarantine'; readonly because: string }
  | { readonly action: 'settle'; readonly because: string; readonly exit: RunExit | null }

/** How often a quarantined run, or one the runtime could not be asked about, is looked at again. */
const LOOK_AGAIN_MS = 5_000

/** Decides the one next step for a session; first rule that applies. Pure: the sweep, the dry run and tests share it. */
export function decideSession(seen: SessionObservation, policy: SessionPolicy): SessionDecision {
  const { run } = seen.facts
  return run === null ? decideWithoutRun(seen) : decideWithRun(seen, run.state, policy)
}

/** Without a run nobody sets a timer for this session: admission watches the earliest due time of them all. */
function decideWithoutRun(seen: SessionObservation): SessionDecision {
  const { session, dueUnprojected, barred } = seen.facts
  if (session.status === 'closed') return leave('closed', null)
  if (!seen.isGroupConfigured) return leave('group-not-configured', null)
  // Admission watches when an account has room again.
  if (barred !== null) return leave(`account-${barred.state}`, null)
  if (dueUnprojected === 0) return leave('nothing-due', null)
  if (seen.drain !== 'none') return leave('shutting-down', null)
  // Admission watches when there is room again. Nothing was tried, so nothing is counted against the session.
  if (seen.disk?.isLow === true) return leave('disk-low', null)
  if (session.spawnNotBeforeMs > seen.nowMs) return leave('spawn-back-off', null)
  return seen.isAdmitted ? { action: 'start', because: 'due' } : { action: 'want-slot', because: 'due' }
}

function decideWithRun(seen: SessionObservation, state: string, policy: SessionPolicy): SessionDecision {
  const known = decideFromRuntime(seen, state)
  if (known !== null) return known
  if (state === 'unkillable') return decideUnkillable(seen)
  if (state === 'stopping') return decideStopping(seen, policy)
  return decideRunning(seen, policy)
}

/** What follows from the runtime's word alone; null: the run is alive as recorded. */
function decideFromRuntime(seen: SessionObservation, state: string): SessionDecision | null {
  if (seen.seen === null) return { action: 'abort-start', because: 'no-handle' }
  switch (seen.seen.state) {
    case 'unknown':
      return leave(`runtime-unknown: ${seen.seen.because}`, LOOK_AGAIN_MS)
    case 'exited':
      return { action: 'settle', because: 'exited', exit: seen.seen.exit }
    case 'gone':
      return { action: 'settle', because: 'gone', exit: null }
    case 'created':
      return { action: 'abort-start', because: 'never-let-go' }
    case 'running':
      return state === 'starting' ? { action: 'adopt-start', because: 'running' } : null
  }
}

function decideStopping(seen: SessionObservation, policy: SessionPolicy): SessionDecision {
  if (seen.stop === null) return leave('stopping', LOOK_AGAIN_MS)
  const decision = decideStop(seen.stop, policy.runs)
  switch (decision.action) {
    case 'wait':
      return leave('stopping', decision.recheckInMs)
    case 'ask':
      return { action: 'ask-again', because: 'not-asked-by-this-host' }
    case 'kill':
      return { action: 'kill', because: seen.stop.sinceKillMs === null ? 'grace-over' : 'not-killed-by-this-host' }
    case 'quarantine':
      return { action: 'quarantine', because: 'would-not-die' }
  }
}

function decideUnkillable(seen: SessionObservation): SessionDecision {
  // The host that gave it up may never have got its SIGKILL through.
  if (seen.stop?.sent !== 'SIGKILL') return { action: 'kill', because: 'not-killed-by-this-host' }
  return leave('unkillable', LOOK_AGAIN_MS)
}

function decideRunning(seen: SessionObservation, policy: SessionPolicy): SessionDecision {
  const { facts } = seen
  if (facts.session.status === 'closed') return stop('session-closed', {})
  if (seen.isStopRequested) return stop('operator-stop', { claimed: facts.claimed.length })
  if (seen.drain !== 'none') return decideDrain(seen)
  if (seen.cancelAgeMs !== null && seen.cancelAgeMs >= policy.runs.cancelGraceMs) {
    return stop('cancel', { cancelAgeMs: seen.cancelAgeMs, graceMs: policy.runs.cancelGraceMs })
  }
  const stuck = decideStuck(seen, policy.stuck)
  if (stuck !== null && stuck.action === 'stop') return stuck
  const stuckInMs = stuck?.recheckInMs ?? null
  if (!seen.isGroupConfigured) return decideParting(seen, policy, stuckInMs)
  if (facts.dueUnprojected > 0 || seen.isMailboxBehind) return { action: 'project', because: 'due' }
  if (isHeldBack(seen)) return stop('idle', { because: 'account-parked', ...facts.barred })
  return decideIdle(seen, policy, stuckInMs)
}

type StuckDecision =
  | (SessionDecision & { readonly action: 'stop' })
  | { readonly action: 'leave'; readonly recheckInMs: number | null }

/** A run that tells no clocks apart is judged as the seed did: by its heartbeat. Only that it is deaf shows all the same. */
function decideStuck(seen: SessionObservation, policy: StuckPolicy): StuckDecision | null {
  const { clocks, liveness, keepsClocks } = seen
  if (clocks === null || liveness === null) return null
  if (policy.policy === 'default' && keepsClocks) return stuckBy(decideLiveness(liveness, policy), seen, policy)
  const comingUp = policy.policy === 'default' ? stuckBy(decideComingUp(liveness, policy), seen, policy) : NOT_STUCK
  if (comingUp.action === 'stop') return comingUp
  const decision = decideClassic(clocks, policy)
  if (decision.action === 'leave') {
    return { action: 'leave', recheckInMs: soonest(comingUp.recheckInMs, decision.recheckInMs) }
  }
  const { because, silentForMs, toleranceMs, messageId } = decision
  return stop(because, { silentForMs, toleranceMs, messageId, policy: 'classic' })
}

const NOT_STUCK = { action: 'leave', recheckInMs: null } as const

/** What a run says of itself lies in its outbox: only its beat is seen without reading that. */
const RESTS_ON_BEAT: readonly string[] = ['never-started', 'frozen']

function stuckBy(decision: LivenessDecision, seen: SessionObservation, policy: StuckPolicy): StuckDecision {
  if (decision.verdict === 'leave') return { action: 'leave', recheckInMs: decision.recheckInMs }
  if (!RESTS_ON_BEAT.includes(decision.reason)) {
    // By a timer, which brings a look into the outbox before the next judgement.
    if (seen.outbox === 'unread') return { action: 'leave', recheckInMs: 0 }
    // Whoever could not read it comes back by itself. A run that keeps its own outbox from being read has only so long.
    if (seen.outbox === 'unreadable' && seen.unreadableForMs <= policy.ceilingMs) return NOT_STUCK
  }
  const { verdict: _, reason, ...evidence } = decision
  return stop(reason, { ...evidence, policy: 'default' })
}

/**
 * It has nothing in hand, and its account keeps from it what is due. It would hold a place for hours, and when the account
 * opens it is no more entitled than those who have no run: so it goes, and waits in line with them.
 */
function isHeldBack({ facts }: SessionObservation): boolean {
  return facts.barred !== null && facts.claimed.length === 0 && facts.projectedUnclaimed === 0
}

function decideDrain(seen: SessionObservation): SessionDecision {
  const isBusy = seen.facts.claimed.length > 0
  if (isBusy && seen.drain === 'finish-work') {
    return seen.isMailboxBehind ? { action: 'project', because: 'draining' } : leave('draining', LOOK_AGAIN_MS)
  }
  return stop('host-shutdown', { claimed: seen.facts.claimed.length })
}

/** A run whose group is gone ends the work it has taken, is given no more, and then goes. */
function decideParting(seen: SessionObservation, policy: SessionPolicy, stuckInMs: number | null): SessionDecision {
  if (seen.facts.claimed.length === 0) return stop('idle', { because: 'group-not-configured' })
  if (seen.isMailboxBehind) return { action: 'project', because: 'group-not-configured' }
  return leave('group-not-configured', soonest(stuckInMs, untilCancelMs(seen, policy)))
}

function decideIdle(seen: SessionObservation, policy: SessionPolicy, stuckInMs: number | null): SessionDecision {
  const { facts } = seen
  const untilDueMs = facts.nextDueAtMs === null ? null : Math.max(0, facts.nextDueAtMs - seen.nowMs)
  if (facts.claimed.length > 0) return leave('working', soonest(stuckInMs, untilDueMs, untilCancelMs(seen, policy)))
  if (facts.projectedUnclaimed > 0) return leave('handed-over', soonest(stuckInMs, untilDueMs))
  if (seen.isEvicted || seen.idleForMs >= policy.idleStopMs) {
    return stop('idle', { idleForMs: seen.idleForMs, idleStopMs: policy.idleStopMs, isEvicted: seen.isEvicted })
  }
  return leave('idle', soonest(policy.idleStopMs - seen.idleForMs, untilDueMs, stuckInMs))
}

function untilCancelMs({ cancelAgeMs }: SessionObservation, { runs }: SessionPolicy): number | null {
  return cancelAgeMs === null ? null : runs.cancelGraceMs - cancelAgeMs
}

function leave(because: string, recheckInMs: number | null): SessionDecision {
  return { action: 'leave', because, recheckInMs }
}

function stop(
  because: RunEnd,
  evidence: Readonly<Record<string, unknown>>,
): SessionDecision & { readonly action: 'stop' } {
  return { action: 'stop', because, evidence }
}

function soonest(...delaysMs: (number | null)[]): number | null {
  const known = delaysMs.filter((delayMs) => delayMs !== null)
  return known.length === 0 ? null : Math.max(0, Math.min(...known))
}
