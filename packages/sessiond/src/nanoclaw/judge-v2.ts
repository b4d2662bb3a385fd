import { parseTimestamp } from '@sessiond/protocol'
import { decideRetry } from '../decide/decide-retry.ts'
import { decideSession, type SessionDecision, type SessionPolicy } from '../decide/decide-session.ts'
import type { Untold, V2Message, V2Session, V2SessionState } from './installation.ts'
import {
  ageOf,
  type Container,
  containerOf,
  messageOf,
  type OpenMessage,
  observeV2,
  openMessages,
} from './observe-v2.ts'

/** What sessiond would do with a message whose container it stopped, or found gone. */
export type MessageProspect = 'handed-out-again' | 'given-up'

export interface InspectedMessage extends OpenMessage {
  /** Null: nobody has claimed it, or at a time that cannot be read. */
  readonly claimAgeMs: number | null
  /**
   * Why it will not get on as things are; null: it may. `unheeded`: due for longer than a container of ours is given to
   * take it, while one is said to run and has nothing else in hand.
   */
  readonly stuck: 'no-container' | 'silent' | 'unheeded' | 'no-time' | 'tries-spent' | null
  readonly prospect: MessageProspect | null
}

export interface InspectedSeries {
  readonly id: string
  readonly recurrence: string
  /**
   * `waiting`, `due`, `working`, `paused`: its next message. `next-not-made`: its newest message has ended, well or not, and
   * its host has yet to make the next one.
   */
  readonly state: 'waiting' | 'due' | 'working' | 'paused' | 'next-not-made'
  readonly dueAtMs: number | null
  readonly tries: number
}

/** A session of a v2 installation, and what sessiond would do with it now. */
export interface InspectedSession {
  /** `<agent group>/<session>`. */
  readonly id: string
  readonly group: string
  readonly session: string
  readonly status: string | null
  /** By the word of `v2.db`. */
  readonly container: Container
  readonly files: SessionFiles
  /** Null: nothing is decided, for its files do not tell enough. */
  readonly next: { readonly action: string; readonly because: string; readonly evidence: object } | null
}

/** Null figures: not seen. */
export type SessionFiles =
  | { readonly seen: 'missing' }
  | { readonly seen: 'unreadable'; readonly because: string }
  | ({ readonly seen: 'read' } & ReadSession)

export interface ReadSession {
  readonly counts: Readonly<Record<string, number>>
  readonly messages: readonly InspectedMessage[]
  readonly series: readonly InspectedSeries[]
  /** Replies that no delivery is recorded of. */
  readonly undelivered: number
  readonly heartbeatAgeMs: number | null
  readonly tool: { readonly name: string; readonly timeoutMs: number | null; readonly ageMs: number | null } | null
  readonly nextDueAtMs: number | null
  readonly untold: Untold
  /** There is more than is told. */
  readonly isPartial: boolean
}

/** Judges a session by what its files say. Pure: the same files and the same instant give the same answer. */
export function judgeV2(
  session: V2Session,
  state: V2SessionState,
  policy: SessionPolicy,
  nowMs: number,
): InspectedSession {
  const open = openMessages(session, state, nowMs)
  const observation = observeV2(session, state, open, nowMs)
  const decision = decideSession(observation, policy)
  const isBusy = open.some((message) => message.state === 'claimed')
  const messages = open.map((message) => inspectMessage(session, message, { isBusy, decision, policy, nowMs }))
  return {
    ...headOf(session),
    files: {
      seen: 'read',
      counts: state.counts,
      messages,
      series: state.series.map((message) => seriesOf(message, open, nowMs)),
      undelivered: state.undelivered,
      heartbeatAgeMs: ageOf(state.heartbeatAtMs, nowMs),
      tool: toolOf(state, nowMs),
      nextDueAtMs: observation.facts.nextDueAtMs,
      untold: state.untold,
      isPartial: state.isPartial,
    },
    next: isDueKnown(state, open) ? nextOf(decision) : null,
  }
}

/** What is not told may be due, and would be decided on, unless there is work that is told. */
function isDueKnown({ untold }: V2SessionState, open: readonly OpenMessage[]): boolean {
  return untold.waking === 0 || open.some(({ state }) => state === 'due' || state === 'claimed')
}

function nextOf(decision: SessionDecision): NonNullable<InspectedSession['next']> {
  const { action, because } = decision
  return { action, because, evidence: decision.action === 'stop' ? decision.evidence : {} }
}

/** A session whose files are not there, or cannot be read: nothing is decided about it. */
export function unjudged(session: V2Session, files: SessionFiles): InspectedSession {
  return { ...headOf(session), files, next: null }
}

function headOf(session: V2Session) {
  const { group, id, status } = session
  return { id: `${group}/${id}`, group, session: id, status, container: containerOf(session) }
}

interface Surroundings {
  /** Something is claimed. */
  readonly isBusy: boolean
  readonly decision: SessionDecision
  readonly policy: SessionPolicy
  readonly nowMs: number
}

function inspectMessage(session: V2Session, message: OpenMessage, around: Surroundings): InspectedMessage {
  const claimAgeMs = ageOf(message.claimedAtMs, around.nowMs)
  return {
    ...message,
    claimAgeMs,
    stuck: whyStuck(session, message, around),
    prospect: message.state === 'claimed' ? prospectOf(session, message, around) : null,
  }
}

function whyStuck(
  session: V2Session,
  { id, state, dueAtMs, tries }: OpenMessage,
  { isBusy, decision, policy, nowMs }: Surroundings,
): InspectedMessage['stuck'] {
  if (state === 'never') return 'no-time'
  if (state === 'due' && tries >= policy.retry.maxTries) return 'tries-spent'
  if (state === 'due') {
    const isHeeded = containerOf(session) !== 'running' || isBusy || (ageOf(dueAtMs, nowMs) ?? 0) <= policy.stuck.deafMs
    return isHeeded ? null : 'unheeded'
  }
  if (state !== 'claimed') return null
  if (containerOf(session) === 'stopped') return 'no-container'
  return decision.action === 'stop' && isBlamed(decision.evidence, id) ? 'silent' : null
}

/** A container that is silent altogether holds up all it has claimed; a silent claim is that message alone. */
function isBlamed(evidence: Readonly<Record<string, unknown>>, id: string): boolean {
  return (evidence.messageId ?? null) === null || evidence.messageId === id
}

function prospectOf(session: V2Session, message: OpenMessage, around: Surroundings): MessageProspect | null {
  const { decision, policy, nowMs } = around
  if (decision.action !== 'stop' && decision.action !== 'settle') return null
  const isExcused = decision.action === 'settle'
  const end = decision.action === 'stop' ? decision.because : 'exited'
  // Of a container that was found gone nobody knows whose fault it was: that costs no try.
  const mishap = { kind: 'run-ended', end, exit: null, isExcused, tool: null, sharedStall: null } as const
  const { action } = decideRetry(messageOf(session, message), mishap, policy.retry, nowMs, 0)
  return action === 'give-up' ? 'given-up' : 'handed-out-again'
}

function seriesOf(newest: V2Message, open: readonly OpenMessage[], nowMs: number): InspectedSeries {
  const message = open.find(({ id }) => id === newest.id)
  const dueAtMs = newest.processAfter === null ? null : (parseTimestamp(newest.processAfter) ?? null)
  return {
    id: newest.seriesId ?? newest.id,
    recurrence: newest.recurrence ?? '',
    state: seriesState(newest, message, { dueAtMs, nowMs }),
    dueAtMs,
    tries: newest.tries,
  }
}

function seriesState(
  { status }: V2Message,
  message: OpenMessage | undefined,
  { dueAtMs, nowMs }: { readonly dueAtMs: number | null; readonly nowMs: number },
): InspectedSeries['state'] {
  if (status === 'paused') return 'paused'
  if (message === undefined && status !== 'pending' && status !== 'processing') return 'next-not-made'
  if (message?.state === 'claimed' || message?.state === 'answered') return 'working'
  return (dueAtMs ?? nowMs) <= nowMs ? 'due' : 'waiting'
}

function toolOf({ tool }: V2SessionState, nowMs: number): ReadSession['tool'] {
  if (tool === null) return null
  const startedAtMs = parseTimestamp(tool.startedAt) ?? null
  return { name: tool.name, timeoutMs: tool.timeoutMs, ageMs: ageOf(startedAtMs, nowMs) }
}
