import type { SweepLine } from '../api.ts'
import type { GroupConfig } from '../config/config.ts'
import { backoffMs } from '../decide/backoff.ts'
import { decideSession, type SessionDecision, type SessionObservation } from '../decide/decide-session.ts'
import { abortStart } from '../effects/abort-start.ts'
import { type EffectOutcome, keyOf } from '../effects/deps.ts'
import { keepBlackBox } from '../effects/keep-black-box.ts'
import { projectMailbox } from '../effects/project-mailbox.ts'
import { settleRun } from '../effects/settle-run.ts'
import { type StartDeps, startRun } from '../effects/start-run.ts'
import { askAgain, killRun, quarantineRun, stopRun } from '../effects/stop-run.ts'
import { takeOutbox } from '../effects/take-outbox.ts'
import { hasCode } from '../model/errors.ts'
import { isJudged, type Run } from '../model/run.ts'
import type { DiskFloor } from '../observe/disk-floor.ts'
import { type ObserveOptions, observeSession } from '../observe/observe-session.ts'
import type { RunWatch } from '../observe/run-watch.ts'

/** Why a session is looked at; several may come together. */
export type Cause =
  | 'message'
  | 'outbox'
  | 'exit'
  | 'timer'
  | 'sweep'
  | 'startup'
  | 'request'
  | 'admitted'
  | 'evicted'
  | 'drain'

export interface ReconcileDeps extends StartDeps {
  /** Whether the host is shutting down, and how far. */
  readonly drain: () => SessionObservation['drain']
  readonly diskFloor: DiskFloor
  readonly isRuntimeLost: (runtime: string) => boolean
  readonly checkPulse: () => void
  /** A runtime could not be asked about a run. */
  readonly onRuntimeUnknown: (runtime: string, because: string) => void
}

export interface ReconcileResult {
  readonly lines: readonly SweepLine[]
  /** Null: only an event or the sweep brings it back. */
  readonly recheckInMs: number | null
  /** True when a slot may have come free or somebody waits for one. */
  readonly concernsAdmission: boolean
}

/** More steps than any session needs in one go; what still wants more comes back at once, behind the others. */
const MAX_STEPS = 10
/** A mailbox that is busy is looked at again soon, and ever less often: a hostile run may hold its lock for ever. */
const BUSY_AGAIN = { baseMs: 25, maxMs: 1_000 }
const UNREADABLE_AGAIN_MS = 1_000
const MAX_SKIPPED_LOOKS = 9

/** Observes one session, decides, applies, and again until there is nothing more to do now. */
export async function reconcileSession(
  deps: ReconcileDeps,
  sessionId: string,
  causes: ReadonlySet<Cause>,
): Promise<ReconcileResult> {
  const lines: SweepLine[] = []
  const { lookAgainMs, accountMoved, outbox } = await takeIfWritten(deps, sessionId, causes)
  let concernsAdmission = accountMoved
  let isWindowFull = false
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const seen = await observeSession(deps, sessionId, {
      ...observeOptions(deps, causes, isWindowFull, step),
      outbox,
    })
    if (seen === null) return { lines, recheckInMs: null, concernsAdmission }
    noteUnknown(deps, seen)
    const decision = decide(deps, seen)
    if (decision.action === 'want-slot') {
      lines.push(lineOf(seen, decision, 'waits'))
      return { lines, recheckInMs: lookAgainMs, concernsAdmission: true }
    }
    if (decision.action === 'leave') {
      lines.push(lineOf(seen, decision, 'left'))
      // A run that has become idle may have to make room for somebody who waits; who waits for the disk is looked after
      // by admission, and by nobody else.
      concernsAdmission ||= decision.because === 'idle' || decision.because === 'disk-low'
      return { lines, recheckInMs: soonest(decision.recheckInMs, lookAgainMs), concernsAdmission }
    }
    const applied = await apply(deps, seen, decision)
    lines.push(lineOf(seen, decision, applied.outcome))
    concernsAdmission ||= decision.action === 'settle' || decision.action === 'start'
    isWindowFull ||= decision.action === 'project'
    // A start refused (the cap was reached meanwhile) must not be tried again in the same breath.
    if (!applied.done) {
      const againInMs = applied.againInMs ?? refusedAgainMs(decision)
      return { lines, recheckInMs: soonest(againInMs, lookAgainMs), concernsAdmission }
    }
  }
  return { lines, recheckInMs: 0, concernsAdmission }
}

/** What would be decided for a session, changing nothing. `inspect` false: what is on record of its run is believed. */
export async function explainSession(
  deps: ReconcileDeps,
  sessionId: string,
  options: Pick<ObserveOptions, 'inspect' | 'isAdmitted' | 'isEvicted'>,
): Promise<SweepLine | null> {
  const looking = { ...options, outbox: 'read' as const, isOnlyLooking: true, isWindowFull: false, drain: deps.drain() }
  const seen = await observeSession(deps, sessionId, looking)
  return seen === null ? null : lineOf(seen, decide(deps, seen), null)
}

/** What a look at the outbox came to; `lookAgainMs`: it could not all be read, look again after this long. */
interface Taken {
  readonly lookAgainMs: number | null
  readonly accountMoved: boolean
  readonly outbox: SessionObservation['outbox']
}

const NOTHING_NEW: Taken = { lookAgainMs: null, accountMoved: false, outbox: 'read' }
const NOT_LOOKED: Taken = { ...NOTHING_NEW, outbox: 'unread' }
const UNREADABLE: Taken = { ...NOTHING_NEW, outbox: 'unreadable' }

/** Takes in what the run wrote before anything is judged. */
async function takeIfWritten(deps: ReconcileDeps, sessionId: string, causes: ReadonlySet<Cause>): Promise<Taken> {
  const mayHaveWritten = (['outbox', 'exit', 'sweep', 'timer', 'startup', 'drain'] as const).some((cause) =>
    causes.has(cause),
  )
  // Whatever else brings the session up meanwhile takes the timer's place: a look that is owed must outlive it.
  const lookAgainMs = dueInMs(deps, deps.watches.find(sessionId))
  if (!mayHaveWritten && lookAgainMs !== 0) return { ...NOT_LOOKED, lookAgainMs }
  if (lookAgainMs === null && (await isUntouched(deps, sessionId, causes))) return NOTHING_NEW
  const taken = await take(deps, sessionId)
  const watch = deps.watches.find(sessionId)
  if (watch !== undefined) {
    watch.takeAgainAtMs = taken.lookAgainMs === null ? null : deps.world.monotonicMs() + taken.lookAgainMs
  }
  return taken
}

function dueInMs({ world }: ReconcileDeps, watch: RunWatch | undefined): number | null {
  return watch?.takeAgainAtMs == null ? null : Math.max(0, watch.takeAgainAtMs - world.monotonicMs())
}

async function take(deps: ReconcileDeps, sessionId: string): Promise<Taken> {
  const facts = await deps.store.readFacts(sessionId, deps.world.now())
  const run = facts?.run ?? null
  if (run === null || run.state === 'starting') return NOTHING_NEW
  const watch = deps.watches.of(keyOf(run), deps.world.monotonicMs())
  try {
    // Before the look: what is written during it shows at the next sweep.
    const stamp = await deps.mailbox.outboxStamp(sessionId)
    const { againInMs = null, accountMoved = false } = await takeOutbox(deps, run, false)
    watch.busyLooks = 0
    watch.takenStamp = againInMs === null ? stamp : null
    watch.skippedLooks = 0
    watch.noteOutbox(true, deps.world.monotonicMs())
    return { lookAgainMs: againInMs, accountMoved, outbox: 'read' }
  } catch (error) {
    watch.noteOutbox(false, deps.world.monotonicMs())
    if (hasCode(error, 'MAILBOX_BUSY')) {
      return { ...UNREADABLE, lookAgainMs: backoffMs(BUSY_AGAIN, watch.busyLooks++, 0) }
    }
    if (hasCode(error, 'MAILBOX_TIMEOUT', 'MAILBOX_TORN', 'MAILBOX_UNSAFE')) {
      await noteUnreadable(deps, run, error.code)
      return { ...UNREADABLE, lookAgainMs: UNREADABLE_AGAIN_MS }
    }
    throw error
  }
}

/**
 * The sweep is the net under the notifications. Where a stat says that nothing was written since everything was taken
 * in, it leaves the file closed, and opens it all the same now and then: file systems are known to lie.
 */
async function isUntouched(deps: ReconcileDeps, sessionId: string, causes: ReadonlySet<Cause>): Promise<boolean> {
  const watch = deps.watches.find(sessionId)
  const isSweepAlone = causes.size === 1 && causes.has('sweep')
  if (!isSweepAlone || watch?.takenStamp == null || watch.skippedLooks >= MAX_SKIPPED_LOOKS) return false
  if ((await deps.mailbox.outboxStamp(sessionId)) !== watch.takenStamp) return false
  watch.skippedLooks += 1
  return true
}

async function noteUnreadable(deps: ReconcileDeps, run: Run, code: string): Promise<void> {
  const watch = deps.watches.of(keyOf(run), deps.world.monotonicMs())
  if (!watch.untold([code]).has(code)) return
  const { sessionId, epoch } = run
  const detail = { what: 'outbox', because: code }
  await deps.store.append([
    { type: 'evidence:ignored', atMs: deps.world.now(), sessionId, epoch, messageId: null, detail },
  ])
  watch.noteTold([code])
}

function observeOptions(deps: ReconcileDeps, causes: ReadonlySet<Cause>, isWindowFull: boolean, step: number) {
  const hintsAtExit = (['exit', 'sweep', 'timer', 'startup', 'drain'] as const).some((cause) => causes.has(cause))
  return {
    inspect: hintsAtExit && step === 0,
    isOnlyLooking: false,
    isAdmitted: causes.has('admitted'),
    isEvicted: causes.has('evicted'),
    isWindowFull,
    drain: deps.drain(),
  }
}

function decide(deps: ReconcileDeps, seen: SessionObservation): SessionDecision {
  const group = deps.config.groups.get(seen.facts.session.group)
  const { stuck, retry, idleStopMs } = group ?? deps.config.defaults
  return decideSession(seen, { stuck, retry, idleStopMs, runs: deps.config.runs })
}

async function apply(
  deps: ReconcileDeps,
  seen: SessionObservation,
  decision: Exclude<SessionDecision, { action: 'leave' | 'want-slot' }>,
): Promise<EffectOutcome> {
  const { run, session } = seen.facts
  if (decision.action === 'start') return startRun(deps, session.id, groupOf(deps, session.group))
  if (run === null) throw new Error(`Decision ${decision.action} on session ${session.id}, which has no live run`)
  switch (decision.action) {
    case 'adopt-start':
      return adoptStart(deps, run)
    case 'abort-start':
      return abortStart(deps, run)
    case 'project':
      return projectMailbox(deps, run, seen.drain !== 'none' || !seen.isGroupConfigured)
    case 'stop':
      if (seen.liveness !== null && isJudged(decision.because)) await keepBlackBox(deps, run, seen.liveness)
      return stopRun(deps, run, decision.because, decision.evidence)
    case 'ask-again':
      return askAgain(deps, run)
    case 'kill':
      return killRun(deps, run)
    case 'quarantine':
      return quarantineRun(deps, run)
    case 'settle':
      return settleRun(deps, run, decision.exit)
  }
}

function noteUnknown(deps: ReconcileDeps, seen: SessionObservation): void {
  const { run } = seen.facts
  if (run !== null && seen.seen?.state === 'unknown') deps.onRuntimeUnknown(run.runtime, seen.seen.because)
}

function groupOf(deps: ReconcileDeps, name: string): GroupConfig {
  const group = deps.config.groups.get(name)
  if (group === undefined) throw new Error(`Group ${name} is not configured`)
  return group
}

async function adoptStart(deps: ReconcileDeps, run: Run): Promise<EffectOutcome> {
  const done = await deps.store.recordRunStarted(keyOf(run), deps.world.now())
  return { done, outcome: done ? 'adopted' : 'run-not-live' }
}

function refusedAgainMs(decision: SessionDecision): number | null {
  return decision.action === 'start' || decision.action === 'settle' ? null : UNREADABLE_AGAIN_MS
}

function lineOf(seen: SessionObservation, decision: SessionDecision, outcome: string | null): SweepLine {
  const { session, run } = seen.facts
  return {
    sessionId: session.id,
    epoch: run?.epoch ?? null,
    action: decision.action,
    because: decision.because,
    evidence: evidenceOf(seen, decision),
    outcome,
  }
}

/** The numbers the decision was made on, for people. */
function evidenceOf(seen: SessionObservation, decision: SessionDecision): Readonly<Record<string, unknown>> {
  const { claimed, dueUnprojected, projectedUnclaimed, oldestDueAtMs, nextDueAtMs, run } = seen.facts
  return {
    run: run?.state ?? null,
    seen: seen.seen?.state ?? null,
    claimed: claimed.length,
    due: dueUnprojected,
    handedOver: projectedUnclaimed,
    oldestDueAgeMs: oldestDueAtMs === null ? null : seen.nowMs - oldestDueAtMs,
    nextDueInMs: nextDueAtMs === null ? null : nextDueAtMs - seen.nowMs,
    heartbeatAgeMs: seen.clocks?.heartbeatAgeMs ?? null,
    watchedForMs: seen.clocks?.watchedForMs ?? null,
    idleForMs: run === null ? null : seen.idleForMs,
    ...(seen.disk?.isLow === true ? { freeBytes: seen.disk.freeBytes, wantedBytes: seen.disk.wantedBytes } : {}),
    ...('evidence' in decision ? decision.evidence : {}),
  }
}

function soonest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.min(a, b)
}
