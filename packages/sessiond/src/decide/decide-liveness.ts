import type { WaitReason } from '@sessiond/protocol'
import type { StuckPolicy } from '../config/config.ts'
import { type ToolPolicy, toolPolicyOf } from './tool-policy.ts'

/**
 * What the host saw of one run's clocks, as ages on its own monotonic clock. Time the host slept or stalled is in none
 * of them, and `watchedForMs` starts anew after its start, a wake-up or a long stall: no age counts for more than it.
 */
export interface LivenessObservation {
  /** What the runtime says of it. */
  readonly seen: 'created' | 'running' | 'exited' | 'unknown'
  readonly watchedForMs: number
  /** Since the beat was last seen to move; null: not yet in this watch. */
  readonly beatAgeMs: number | null
  /** Since progress was last seen; null: not yet. */
  readonly progressAgeMs: number | null
  /** Since the run was last seen to compute or transfer; null: nobody can say, which proves neither. */
  readonly activityAgeMs: number | null
  readonly claims: readonly { readonly messageId: string; readonly ageMs: number }[]
  /** Oldest first. */
  readonly tools: readonly ToolClock[]
  readonly wait: WaitClock | null
  /** Most tries spent on any message it holds. */
  readonly tries: number
  /** Since due messages lie in its mailbox with none claimed; null: none do. */
  readonly unheededForMs: number | null
  /** Since it has nothing to do; null: it has. */
  readonly idleForMs: number | null
}

export interface ToolClock {
  readonly name: string
  /** Since it started, or its lease was renewed. */
  readonly ageMs: number
  readonly timeoutMs: number | null
  readonly expectedMs: number | null
  readonly isBackground: boolean
}

export interface WaitClock {
  readonly reason: WaitReason
  /** Since it was stated. */
  readonly ageMs: number
  /** How long it was said to take; null: nobody said. */
  readonly forMs: number | null
  /** Since the other side sent a keep-alive; null: it has not. */
  readonly pingAgeMs: number | null
}

export type LivenessDecision =
  | {
      readonly verdict: 'leave'
      readonly reason: 'exited' | 'unknown' | 'at-work' | 'idle'
      readonly recheckInMs: number | null
    }
  | LivenessKill

/** `reason` names the rule, `line` the option it was decided under, and the rest what was measured against it. */
export interface LivenessKill {
  readonly verdict: 'stop'
  readonly reason: 'never-started' | 'frozen' | 'tool-overdue' | 'silent' | 'deaf'
  readonly line: string
  readonly silentForMs: number
  readonly limitMs: number
  readonly tool: string | null
  readonly wait: WaitReason | null
  readonly messageId: string | null
}

/**
 * No run at work whose clocks all stand still but for its beat is left alone for longer, whatever it has declared.
 */
export function longestSilenceMs(policy: StuckPolicy): number {
  const tools = policy.tools.map((tool) => toolPolicyOf(policy, tool.pattern))
  const undeclaredMs = [{ ceilingMs: policy.busyCeilingMs }, ...tools].map(({ ceilingMs }) => ceilingMs)
  const declaredMs = policy.maxToolTimeoutMs + policy.toolGraceMs
  const waitingMs = longestWaitMs(policy)
  // What is excused by something open is judged by its own rule once that has ended: never later than by the last of them.
  return Math.max(declaredMs, waitingMs, MAX_PATIENCE * policy.silentMs, ...undeclaredMs) + 1
}

/** The longest a provider's "not now" is honoured, and then as long as any question. */
function longestWaitMs({ maxWaitMs, modelSilentMs, modelPingingMs }: StuckPolicy): number {
  return maxWaitMs + Math.max(MAX_PATIENCE * modelSilentMs, modelPingingMs)
}

/** One rule's word: it is broken now, or holds for so much longer; null: it says nothing of this run. */
type Finding = LivenessKill | { readonly leftMs: number } | null

/**
 * Tells silent from stuck, on clocks that prove different things (DESIGN.md 6): the first rule that is broken decides.
 * A run is left alone while something it said makes its silence legitimate: a tool inside its declared time, a model it
 * waits for, a limit that has not ended. What declared nothing is judged by whether it computes or transfers.
 */
export function decideLiveness(seen: LivenessObservation, policy: StuckPolicy): LivenessDecision {
  if (seen.seen === 'exited') return { verdict: 'leave', reason: 'exited', recheckInMs: null }
  if (seen.seen === 'unknown') return { verdict: 'leave', reason: 'unknown', recheckInMs: null }
  return decide(seen, [neverStarted(seen, policy), frozen(seen, policy), ...atWork(seen, policy), deaf(seen, policy)])
}

/**
 * The same of a run that does not keep its clocks apart, or has not had reason to say so: that it never came up, or takes
 * none of its messages, shows without its word.
 */
export function decideComingUp(seen: LivenessObservation, policy: StuckPolicy): LivenessDecision {
  return decide(seen, [neverStarted(seen, policy), deaf(seen, policy)])
}

function decide(seen: LivenessObservation, findings: readonly Finding[]): LivenessDecision {
  const broken = findings.find((finding) => isKill(finding))
  if (isKill(broken)) return broken
  const leftMs = findings.map((finding) => (finding !== null && 'leftMs' in finding ? finding.leftMs : Infinity))
  const soonestMs = Math.min(...leftMs)
  // One more: a limit is broken by more than itself.
  const recheckInMs = Number.isFinite(soonestMs) ? Math.max(0, soonestMs) + 1 : null
  const isIdle = seen.idleForMs !== null && seen.claims.length === 0
  return { verdict: 'leave', reason: isIdle ? 'idle' : 'at-work', recheckInMs }
}

function isKill(finding: Finding | undefined): finding is LivenessKill {
  return finding !== null && finding !== undefined && 'verdict' in finding
}

/** It was let go and never said a word. A beat of an earlier run is none of its own (A3). */
function neverStarted(seen: LivenessObservation, policy: StuckPolicy): Finding {
  if (seen.beatAgeMs !== null || seen.claims.length > 0) return null
  return judge(seen.watchedForMs, policy.startMs, { reason: 'never-started', line: 'start' })
}

/** Its loop does not turn: stopped, or busy for ever. What it computes meanwhile proves nothing. */
function frozen(seen: LivenessObservation, policy: StuckPolicy): Finding {
  if (seen.beatAgeMs === null) return null
  return judge(Math.min(seen.beatAgeMs, seen.watchedForMs), policy.frozenMs, {
    reason: 'frozen',
    line: 'frozen',
    messageId: oldestClaim(seen),
  })
}

function atWork(seen: LivenessObservation, policy: StuckPolicy): Finding[] {
  if (seen.claims.length === 0) return []
  const awaited = seen.tools.filter((tool) => !tool.isBackground)
  const declared = awaited.filter((tool) => tool.timeoutMs !== null).map((tool) => overdue(seen, tool, policy))
  if (declared.some(isKill)) return declared
  const wait = seen.wait === null ? null : waiting(seen, seen.wait, policy)
  const isExcused = declared.length > 0 || (wait !== null && !isKill(wait))
  // Whatever still has a promise to keep makes the silence of the rest legitimate: a tool around it, or beside it.
  if (isExcused) return [...declared, isKill(wait) ? null : wait]
  const undeclared = awaited.map((tool) => quietTool(seen, tool, policy))
  if (undeclared.length > 0) return undeclared
  return [wait ?? silent(seen, policy)]
}

/** A tool that is past what it declared, and nothing has moved since. */
function overdue(seen: LivenessObservation, tool: ToolClock, policy: StuckPolicy): Finding {
  const declaredMs = Math.min(tool.timeoutMs ?? 0, policy.maxToolTimeoutMs)
  const sinceEndMs = Math.min(tool.ageMs - declaredMs, progressless(seen))
  return judge(sinceEndMs, policy.toolGraceMs, {
    reason: 'tool-overdue',
    line: 'toolGrace',
    tool: tool.name,
    messageId: oldestClaim(seen),
  })
}

/** A tool that declared nothing: it may be silent while it computes or transfers, and for some time while it does not. */
function quietTool(seen: LivenessObservation, tool: ToolClock, policy: StuckPolicy): Finding {
  const own = toolPolicyOf(policy, tool.name)
  const silentForMs = Math.min(tool.ageMs, progressless(seen))
  const about = { reason: 'tool-overdue', tool: tool.name, messageId: oldestClaim(seen) } as const
  return judgeActive(seen, silentForMs, own, tool.expectedMs, { ...about, line: 'tool' })
}

function waiting(seen: LivenessObservation, wait: WaitClock, policy: StuckPolicy): Finding {
  const about = { reason: 'silent', wait: wait.reason, messageId: oldestClaim(seen) } as const
  if (wait.reason === 'agent') return unexplained(seen, wait, policy)
  // Asked anew and held off again and again, it would be excused for ever.
  const inAll = judge(Math.min(progressless(seen), atWorkForMs(seen)), longestWaitMs(policy), {
    ...about,
    line: 'maxWait',
  })
  if (isKill(inAll)) return inAll
  // Held off: its silence begins when the time it was given is over.
  const heldMs = Math.min(wait.forMs ?? 0, policy.maxWaitMs)
  const sinceMs = Math.min(wait.ageMs - heldMs, progressless(seen))
  const answeredForMs = Math.min(sinceMs, wait.pingAgeMs ?? Infinity)
  const silentMs = policy.modelSilentMs * patienceOf(seen)
  const bySilence = judge(answeredForMs, silentMs, { ...about, line: 'modelSilent' })
  const byPings = judge(sinceMs, Math.max(silentMs, policy.modelPingingMs), {
    ...about,
    line: 'modelPinging',
  })
  if (isKill(bySilence)) return bySilence
  return isKill(byPings) ? byPings : sooner(inAll, sooner(bySilence, byPings))
}

/** A handler that says nothing of what it does: it may wait for a model as well as compute by itself. */
function unexplained(seen: LivenessObservation, wait: WaitClock, policy: StuckPolicy): Finding {
  const { modelSilentMs: silentMs, busyCeilingMs: ceilingMs, toolBlindMs } = policy
  const own = { silentMs, ceilingMs, blindMs: Math.max(toolBlindMs, silentMs * patienceOf(seen)) }
  const about = { reason: 'silent', wait: wait.reason, messageId: oldestClaim(seen) } as const
  const silentForMs = Math.min(wait.ageMs, progressless(seen))
  return judgeActive(seen, silentForMs, own, null, { ...about, line: 'modelSilent' })
}

/** A claim is open, and nothing that would explain why nothing moves. */
function silent(seen: LivenessObservation, policy: StuckPolicy): Finding {
  const own = { silentMs: policy.silentMs, ceilingMs: policy.busyCeilingMs, blindMs: policy.toolBlindMs }
  const silentForMs = Math.min(atWorkForMs(seen), progressless(seen))
  const about = { reason: 'silent', messageId: oldestClaim(seen) } as const
  return judgeActive(seen, silentForMs, own, null, { ...about, line: 'silent' })
}

/** It beats, has work in its mailbox, and takes none. */
function deaf(seen: LivenessObservation, policy: StuckPolicy): Finding {
  if (seen.unheededForMs === null || seen.beatAgeMs === null) return null
  return judge(Math.min(seen.unheededForMs, seen.watchedForMs), policy.deafMs, { reason: 'deaf', line: 'deaf' })
}

/** Silence is judged by activity as well, up to a ceiling; where nobody can see activity, by a limit of its own. */
function judgeActive(
  seen: LivenessObservation,
  silentForMs: number,
  own: ToolPolicy,
  expectedMs: number | null,
  about: About & { readonly line: 'tool' | 'silent' | 'modelSilent' },
): Finding {
  const ceiling = judge(silentForMs, own.ceilingMs, { ...about, line: 'busyCeiling' })
  if (isKill(ceiling)) return ceiling
  const isBlind = seen.activityAgeMs === null
  const limitMs = Math.max(isBlind ? own.blindMs : own.silentMs * patienceOf(seen), 2 * (expectedMs ?? 0))
  const line = isBlind ? 'toolBlind' : about.line === 'tool' ? 'toolSilent' : about.line
  const quietForMs = Math.min(silentForMs, seen.activityAgeMs ?? Infinity)
  const quiet = judge(quietForMs, limitMs, { ...about, line })
  return isKill(quiet) ? quiet : sooner(ceiling, quiet)
}

interface About {
  readonly reason: LivenessKill['reason']
  readonly line: string
  readonly tool?: string
  readonly wait?: WaitReason
  readonly messageId?: string | null
}

function judge(silentForMs: number, limitMs: number, about: About): LivenessKill | { readonly leftMs: number } {
  if (silentForMs <= limitMs) return { leftMs: limitMs - silentForMs }
  const { reason, line, tool = null, wait = null, messageId = null } = about
  return { verdict: 'stop', reason, line: `stuck.${line}`, silentForMs, limitMs, tool, wait, messageId }
}

function sooner(a: Finding, b: Finding): Finding {
  const leftOf = (finding: Finding) => (finding !== null && 'leftMs' in finding ? finding.leftMs : Infinity)
  return { leftMs: Math.min(leftOf(a), leftOf(b)) }
}

/** The same kill at the same limit would only be repeated (A8): what was silent once may be slow, not stuck. */
function patienceOf({ tries }: LivenessObservation): number {
  return Math.min(1 + tries, MAX_PATIENCE)
}

const MAX_PATIENCE = 3

/** For how long the agent has not been seen to do anything. */
function progressless(seen: LivenessObservation): number {
  return Math.min(seen.watchedForMs, seen.progressAgeMs ?? Infinity)
}

/** Since it last took a message: what it did not do before that is nothing to its work. */
function atWorkForMs({ claims }: LivenessObservation): number {
  return Math.min(...claims.map(({ ageMs }) => ageMs))
}

function oldestClaim(seen: LivenessObservation): string | null {
  return seen.claims.reduce((oldest, claim) => (claim.ageMs > oldest.ageMs ? claim : oldest), seen.claims[0] ?? NONE)
    .messageId
}

const NONE = { messageId: null as string | null, ageMs: 0 }
