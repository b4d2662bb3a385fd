import type { Trouble } from '@sessiond/protocol'
import type { RetryPolicy } from '../config/config.ts'
import type { Message, MessageFailure, MessageTroubles } from '../model/message.ts'
import type { RunEnd, RunExit } from '../model/run.ts'
import { backoffMs } from './backoff.ts'
import { decideTrouble } from './decide-trouble.ts'

/** What happened to a message a run held. */
export type Mishap =
  /** The agent acknowledged it as failed; with `retryAtMs` it knows when to come back (a rate limit). */
  | {
      readonly kind: 'agent-failed'
      readonly error: string | null
      readonly retryAtMs: number | null
      /** It says that the provider of its model was to blame. */
      readonly trouble: Trouble | null
      /** `Account.answers` of its session's account. */
      readonly answers: number
    }
  /** Its run ended under it. `isExcused`: the host or the runtime was away, so nobody knows whose fault it was. */
  | {
      readonly kind: 'run-ended'
      readonly end: RunEnd
      readonly exit: RunExit | null
      readonly isExcused: boolean
      /** In flight then; null: none, or nobody knows. */
      readonly tool: string | null
      /** Set when other sessions of its account stalled with it (D21): then it is taken for an outage of what they share. */
      readonly sharedStall: { readonly answers: number } | null
    }

export type RetryDecision =
  | { readonly action: 'complete' }
  | {
      readonly action: 'retry'
      readonly spendsTry: boolean
      /** It has died often enough to be handed out alone from now on. */
      readonly isSuspect: boolean
      readonly atMs: number
      readonly because: string
      readonly error: string | null
      /** What the message's account has to be parked for. */
      readonly trouble?: ReportedTrouble
      /** What it has met of its provider's trouble from now on. */
      readonly troubles?: MessageTroubles
    }
  | {
      readonly action: 'give-up'
      readonly spendsTry: boolean
      readonly failure: MessageFailure
      readonly because: string
      readonly error: string | null
    }

/** The provider's trouble, as a run tells it; `resetAtMs` null: nobody said when it ends. */
export interface ReportedTrouble {
  readonly kind: Trouble
  readonly resetAtMs: number | null
  /** Only this message meets it: it waits by itself, and its account goes on. */
  readonly isAlone: boolean
}

/**
 * How often a message may be handed out beyond its tries before a postponement without a cause spends one too. Without it
 * an agent that always postpones would keep a message for ever.
 */
export const MAX_FREE_ATTEMPTS = 100

/**
 * How often somebody else may stop a message's run (an engine that is restarted, `docker stop`) at no cost. An agent that
 * ends its own process cleanly in the middle of its work looks the same, and must not go round for ever.
 */
export const MAX_OUTSIDE_STOPS = 5

/**
 * From this death on a message is handed out alone. The first proves little: most runs that die once are not killed by a
 * message, and going one by one costs a batch agent a turn for each. The second of the same messages is no accident.
 */
export const SUSPECT_FROM_TRIES = 2

/** What else asked for something in the hands that failed. */
export interface Beside {
  readonly others: number
  /** Tries spent before, of that one of all of them that has spent most. */
  readonly mostTries: number
}

const ALONE: Beside = { others: 0, mostTries: 0 }

type Subject = Pick<Message, 'tries' | 'attempt' | 'answered' | 'cancelRequestedAtMs' | 'troubles'>

/**
 * Decides what becomes of a message that a run held and did not complete. A try is spent only when the message is
 * to blame: the agent failed it, or its run crashed or was judged stuck while the host was watching (invariant 5).
 */
export function decideRetry(
  message: Subject,
  mishap: Mishap,
  policy: RetryPolicy,
  nowMs: number,
  random: number,
  beside: Beside = ALONE,
): RetryDecision {
  // The reply is out: running it again would answer twice (B3). A failure the agent itself reports outranks it (B1).
  if (message.answered && mishap.kind === 'run-ended') return { action: 'complete' }
  const error = errorOf(mishap)
  if (message.cancelRequestedAtMs !== null) return giveUp('CANCELLED', 'cancelled', error)
  if (mishap.kind === 'agent-failed') return decideAgentFailure(message, mishap, policy, nowMs, random, beside)
  if (mishap.end === 'session-closed') return giveUp('SESSION_CLOSED', mishap.end, error)
  if (mishap.isExcused || !isMessageToBlame(mishap.end)) {
    return { action: 'retry', spendsTry: false, isSuspect: false, atMs: nowMs, because: mishap.end, error }
  }
  if (mishap.sharedStall !== null && isStall(mishap.end)) {
    const met = { kind: 'outage', resetAtMs: null, answers: mishap.sharedStall.answers, error } as const
    return decideTroubled(message, met, mishap.end, policy, nowMs, random, beside)
  }
  const freeAttempts = message.attempt - message.tries
  if (wasStoppedFromOutside(mishap) && freeAttempts <= MAX_OUTSIDE_STOPS) {
    const atMs = nowMs + backoffMs(policy, freeAttempts - 1, random)
    return { action: 'retry', spendsTry: false, isSuspect: false, atMs, because: 'stopped-from-outside', error }
  }
  return spendTry(message, mishap.end, error, policy, nowMs, random, beside)
}

/** It ended as a runner does that is asked to, and it was not this host that asked. */
function wasStoppedFromOutside({ end, exit }: Mishap & { kind: 'run-ended' }): boolean {
  if (end !== 'exited' || exit === null || exit.oomKilled) return false
  return exit.code === 0 || exit.code === SIGTERM_EXIT || exit.signal === 'SIGTERM'
}

/** 128 + 15: what an engine reports of a program that SIGTERM ended. */
const SIGTERM_EXIT = 143

function decideAgentFailure(
  message: Subject,
  mishap: Mishap & { kind: 'agent-failed' },
  policy: RetryPolicy,
  nowMs: number,
  random: number,
  beside: Beside,
): RetryDecision {
  const { retryAtMs, trouble, answers, error } = mishap
  if (trouble !== null) {
    const met = { kind: trouble, resetAtMs: retryAtMs, answers, error }
    return decideTroubled(message, met, 'agent-failed', policy, nowMs, random, beside)
  }
  if (retryAtMs === null || message.attempt - message.tries > MAX_FREE_ATTEMPTS) {
    return spendTry(message, 'agent-failed', error, policy, nowMs, random, beside)
  }
  const atMs = boundedDefer(retryAtMs, policy, nowMs)
  return { action: 'retry', spendsTry: false, isSuspect: false, atMs, error, because: 'agent-deferred' }
}

/** Trouble of the provider, with what `decideTrouble` needs. */
interface MetTrouble {
  readonly kind: Trouble
  readonly resetAtMs: number | null
  readonly answers: number
  readonly error: string | null
}

function decideTroubled(
  message: Subject,
  { kind, resetAtMs, answers, error }: MetTrouble,
  blamedFor: string,
  policy: RetryPolicy,
  nowMs: number,
  random: number,
  beside: Beside,
): RetryDecision {
  const { isAlone, spendsTry, troubles } = decideTrouble(message, answers, nowMs)
  if (spendsTry) {
    const spent = spendTry(message, blamedFor, error, policy, nowMs, random, beside)
    // It goes on to wait as for trouble: only what is answered in between shows that it is alone with it.
    const trouble = { kind, resetAtMs, isAlone: true }
    return spent.action === 'retry' ? { ...spent, trouble, troubles } : spent
  }
  const atMs = boundedDefer(resetAtMs, policy, nowMs)
  const trouble = { kind, resetAtMs, isAlone }
  return { action: 'retry', spendsTry: false, isSuspect: false, atMs, because: kind, error, trouble, troubles }
}

/** Clamped on both sides: a time in the past would spin, one in the year 9999 would lose the message. */
function boundedDefer(wantedMs: number | null, policy: RetryPolicy, nowMs: number): number {
  return Math.min(Math.max(wantedMs ?? nowMs, nowMs + policy.baseMs), nowMs + policy.maxDeferMs)
}

/** Beside others no message is given up, however often it has died: only by itself does it prove its own guilt. */
function spendTry(
  message: Subject,
  because: string,
  error: string | null,
  policy: RetryPolicy,
  nowMs: number,
  random: number,
  beside: Beside,
): RetryDecision {
  const tries = message.tries + 1
  const isOver = tries >= policy.maxTries
  if (isOver && beside.others === 0) {
    return { action: 'give-up', spendsTry: true, failure: 'TRIES_EXHAUSTED', because, error }
  }
  const atMs = nowMs + backoffMs(policy, Math.max(message.tries, beside.mostTries), random)
  return { action: 'retry', spendsTry: true, isSuspect: isOver || tries >= SUSPECT_FROM_TRIES, atMs, because, error }
}

function giveUp(failure: MessageFailure, because: string, error: string | null): RetryDecision {
  return { action: 'give-up', spendsTry: false, failure, because, error }
}

const BLAMES_MESSAGE: Readonly<Record<RunEnd, boolean>> = {
  exited: true,
  'never-started': false,
  frozen: true,
  'tool-overdue': true,
  silent: true,
  deaf: false,
  'claim-silent': true,
  ceiling: true,
  idle: false,
  'operator-stop': false,
  cancel: false,
  'session-closed': false,
  'host-shutdown': false,
  'spawn-failed': false,
  superseded: false,
}

function isMessageToBlame(end: RunEnd): boolean {
  return BLAMES_MESSAGE[end]
}

/**
 * Its loop turned, and nothing came of it: what many of an account meet at once is no message's fault. Of a run that does
 * not even beat nobody knows as much.
 */
export function isStall(end: RunEnd): boolean {
  return end === 'silent'
}

function errorOf(mishap: Mishap): string | null {
  if (mishap.kind === 'agent-failed') return mishap.error
  const words = describeRunEnd(mishap.end, mishap.exit)
  return mishap.tool === null ? words : `${words}, while ${mishap.tool} ran`
}

/** Says in words how a run ended, for the message's history. */
export function describeRunEnd(end: RunEnd, exit: RunExit | null): string {
  const words = END_WORDS[end]
  if (exit === null) return words
  if (exit.oomKilled) return `${words} (out of memory)`
  if (exit.signal !== null) return `${words} (${exit.signal})`
  return exit.code === null ? words : `${words} (code ${exit.code})`
}

const END_WORDS: Readonly<Record<RunEnd, string>> = {
  exited: 'the run ended by itself',
  'never-started': 'the run was stopped: it never came up',
  frozen: 'the run was stopped: its loop did not turn',
  'tool-overdue': 'the run was stopped: a tool hung',
  silent: 'the run was stopped: nothing moved',
  deaf: 'the run was stopped: it took none of its messages',
  'claim-silent': 'the run was stopped: no heartbeat since it took the message',
  ceiling: 'the run was stopped: no heartbeat for too long',
  idle: 'the run was stopped: nothing to do',
  'operator-stop': 'the run was stopped by a person',
  cancel: 'the run was stopped: it ignored a cancelled message',
  'session-closed': 'the session was closed',
  'host-shutdown': 'the host was shut down',
  'spawn-failed': 'the run did not come up',
  superseded: 'the run gave way to a newer one',
}
