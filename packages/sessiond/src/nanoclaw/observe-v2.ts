import { parseTimestamp } from '@sessiond/protocol'
import type { ClassicClocks } from '../decide/decide-classic.ts'
import type { LivenessObservation } from '../decide/decide-liveness.ts'
import type { SessionObservation } from '../decide/decide-session.ts'
import type { Message } from '../model/message.ts'
import type { Run } from '../model/run.ts'
import type { Session } from '../model/session.ts'
import type { SeenRun } from '../runtime/runtime.ts'
import type { V2Ack, V2Message, V2Session, V2SessionState } from './installation.ts'

/** A message that has not ended, with what its times come to. */
export interface OpenMessage {
  readonly id: string
  /**
   * `claimed`: a container works on it. `answered`: its container is done with it, and its host has yet to note that.
   * `due`, `waiting`: for its time. `on-wake`: for the container after the one that is there. `never`: its time is none,
   * so that it is never due. `context`: wakes nobody.
   */
  readonly state: 'claimed' | 'answered' | 'due' | 'waiting' | 'on-wake' | 'never' | 'context'
  /** Of one that was due at once, when it came. Null: at no time that can be read. */
  readonly dueAtMs: number | null
  /** Null: not claimed, or at a time that cannot be read. */
  readonly claimedAtMs: number | null
  readonly tries: number
  readonly isRecurring: boolean
}

/** Whether the container of a session runs, by the word of `v2.db`: nobody looks at the container itself. */
export type Container = 'running' | 'stopped' | 'unknown'

/** What `v2.db` calls a container that is there: one that has nothing to do too. */
const RUNNING = ['running', 'idle']

export function containerOf({ containerStatus }: V2Session): Container {
  if (containerStatus === 'stopped') return 'stopped'
  return containerStatus !== null && RUNNING.includes(containerStatus) ? 'running' : 'unknown'
}

/** Messages that have not ended, as they stand at `nowMs`. Times without a zone are UTC. */
export function openMessages(session: V2Session, state: V2SessionState, nowMs: number): OpenMessage[] {
  const acks = new Map(state.acks.map((ack) => [ack.messageId, ack]))
  const hasContainer = containerOf(session) !== 'stopped'
  const open = state.open.map((message) => openMessage(message, acks.get(message.id), { hasContainer, nowMs }))
  const known = new Set(state.open.map(({ id }) => id))
  // A claim of what has ended, or was never there, holds its container to account all the same.
  const strays = state.acks.filter(({ messageId, status }) => status === 'processing' && !known.has(messageId))
  return [...open, ...strays.map(strayClaim)]
}

interface Moment {
  readonly hasContainer: boolean
  readonly nowMs: number
}

function openMessage(message: V2Message, ack: V2Ack | undefined, moment: Moment): OpenMessage {
  const { id, tries, recurrence } = message
  const dueAtMs = dueAtOf(message, moment.nowMs)
  const claimedAtMs = ack?.status === 'processing' ? (parseTimestamp(ack.changedAt) ?? null) : null
  const state = stateOf(message, ack, { ...moment, dueAtMs })
  return { id, state, dueAtMs, claimedAtMs, tries, isRecurring: recurrence !== null }
}

function dueAtOf({ processAfter, timestamp }: V2Message, nowMs: number): number | null {
  if (processAfter !== null) return parseTimestamp(processAfter) ?? null
  const cameAtMs = parseTimestamp(timestamp) ?? null
  // Whatever its sender's clock says, it waits for nothing.
  return cameAtMs === null ? null : Math.min(cameAtMs, nowMs)
}

function stateOf(
  { processAfter, isTrigger, isOnWake }: V2Message,
  ack: V2Ack | undefined,
  { dueAtMs, hasContainer, nowMs }: Moment & { readonly dueAtMs: number | null },
): OpenMessage['state'] {
  if (ack?.status === 'processing') return 'claimed'
  if (ack !== undefined) return 'answered'
  if (!isTrigger) return 'context'
  if (processAfter !== null && dueAtMs === null) return 'never'
  if (isOnWake && hasContainer) return 'on-wake'
  return (dueAtMs ?? nowMs) <= nowMs ? 'due' : 'waiting'
}

function strayClaim({ messageId, changedAt }: V2Ack): OpenMessage {
  const claimedAtMs = parseTimestamp(changedAt) ?? null
  return { id: messageId, state: 'claimed', dueAtMs: null, claimedAtMs, tries: 0, isRecurring: false }
}

/** How long ago; a time to come, by a clock that is ahead, is now. */
export function ageOf(atMs: number | null, nowMs: number): number | null {
  return atMs === null ? null : Math.max(0, nowMs - atMs)
}

/**
 * The session as sessiond's decisions see one, built from what its files say. What cannot be seen there (whether the
 * container lives, when it started, what it computes) is left unknown, and nothing is decided from it.
 */
export function observeV2(
  session: V2Session,
  state: V2SessionState,
  messages: readonly OpenMessage[],
  nowMs: number,
): SessionObservation {
  const container = containerOf(session)
  const claimed = messages.filter((message) => message.state === 'claimed')
  const due = messages.filter((message) => message.state === 'due')
  const hasRun = container !== 'stopped' || claimed.length > 0
  const clocks = hasRun ? clocksOf(state, claimed, nowMs) : null
  return {
    nowMs,
    facts: {
      session: sessionOf(session),
      run: hasRun ? runOf(session) : null,
      claimed: claimed.map((message) => messageOf(session, message)),
      barred: null,
      // What is due lies in the mailbox of a container that runs.
      dueUnprojected: hasRun ? 0 : due.length,
      projectedUnclaimed: hasRun ? due.length : 0,
      oldestDueAtMs: earliest(due.map(({ dueAtMs }) => dueAtMs)),
      nextDueAtMs: earliest(messages.filter((message) => message.state === 'waiting').map(({ dueAtMs }) => dueAtMs)),
    },
    seen: hasRun ? SEEN[container] : null,
    clocks,
    liveness: clocks === null ? null : livenessOf(clocks, { container, claimed, due }),
    // Its heartbeat is all that a container of NanoClaw tells.
    keepsClocks: false,
    outbox: 'read',
    unreadableForMs: 0,
    stop: null,
    // Of its disk nobody has said anything.
    disk: null,
    cancelAgeMs: null,
    idleForMs: ageOf(state.heartbeatAtMs, nowMs) ?? 0,
    isMailboxBehind: false,
    isGroupConfigured: true,
    isStopRequested: false,
    isAdmitted: true,
    isEvicted: false,
    drain: 'none',
  }
}

const SEEN: Readonly<Record<Container, SeenRun>> = {
  running: { state: 'running' },
  stopped: { state: 'gone' },
  unknown: { state: 'unknown', because: 'v2.db does not say whether its container runs' },
}

function clocksOf(state: V2SessionState, claimed: readonly OpenMessage[], nowMs: number): ClassicClocks {
  const heartbeatAgeMs = ageOf(state.heartbeatAtMs, nowMs)
  const claims = claimed.flatMap(({ id, claimedAtMs }) => {
    if (claimedAtMs === null) return []
    const hasBeatenSince = state.heartbeatAtMs !== null && state.heartbeatAtMs > claimedAtMs
    return [{ messageId: id, ageMs: Math.max(0, nowMs - claimedAtMs), hasBeatenSince }]
  })
  // Nobody can say when the container started: only what it has done since is evidence of how long it has been there.
  const watchedForMs = Math.max(0, heartbeatAgeMs ?? 0, ...claims.map(({ ageMs }) => ageMs))
  return {
    watchedForMs,
    heartbeatAgeMs,
    claims,
    declaredToolMs: state.tool?.timeoutMs ?? null,
    // The last beat alone shows for no span of time that it beat, and took nothing all the while.
    unheededForMs: null,
  }
}

interface SeenWork {
  readonly claimed: readonly OpenMessage[]
  readonly due: readonly OpenMessage[]
}

function livenessOf(
  clocks: ClassicClocks,
  { container, claimed, due }: SeenWork & { readonly container: Container },
): LivenessObservation {
  return {
    seen: container === 'stopped' ? 'exited' : container,
    watchedForMs: clocks.watchedForMs,
    beatAgeMs: clocks.heartbeatAgeMs,
    progressAgeMs: clocks.heartbeatAgeMs,
    activityAgeMs: null,
    claims: clocks.claims.map(({ messageId, ageMs }) => ({ messageId, ageMs })),
    tools: [],
    wait: null,
    tries: Math.max(0, ...claimed.map(({ tries }) => tries)),
    unheededForMs: clocks.unheededForMs,
    idleForMs: claimed.length + due.length > 0 ? null : (clocks.heartbeatAgeMs ?? 0),
  }
}

function sessionOf({ id, group, status, createdAt }: V2Session): Session {
  return {
    id: `${group}/${id}`,
    group,
    name: id,
    status: status === 'closed' ? 'closed' : 'open',
    timeZone: null,
    createdAtMs: parseTimestamp(createdAt) ?? 0,
    closedAtMs: null,
    archivedAtMs: null,
    epoch: 0,
    spawnFailures: 0,
    spawnNotBeforeMs: 0,
    lastSpawnError: null,
  }
}

function runOf({ id, group }: V2Session): Run {
  return {
    sessionId: `${group}/${id}`,
    group,
    epoch: 1,
    name: id,
    runtime: 'docker',
    state: 'running',
    handle: null,
    intendedAtMs: 0,
    startedAtMs: null,
    firstClaimAtMs: null,
    lastActiveAtMs: 0,
    stopIntendedAtMs: null,
    killSentAtMs: null,
    end: null,
    endEvidence: null,
    exit: null,
    endedAtMs: null,
    takenSeq: 0,
  }
}

/** As the decision of a retry asks for it. */
export function messageOf({ id: name, group }: V2Session, { id, dueAtMs, claimedAtMs, tries }: OpenMessage): Message {
  return {
    id,
    sessionId: `${group}/${name}`,
    group,
    kind: 'chat',
    content: '',
    processAfterMs: dueAtMs ?? 0,
    trigger: true,
    onWake: false,
    address: { platformId: null, channelType: null, threadId: null },
    sourceSessionId: null,
    seriesId: null,
    seq: 0,
    status: 'claimed',
    createdAtMs: 0,
    tries,
    attempt: tries + 1,
    projectedEpoch: 1,
    claimEpoch: 1,
    claimedAtMs,
    cancelRequestedAtMs: null,
    endedAtMs: null,
    failure: null,
    error: null,
    answered: false,
    deadLetter: false,
    isSuspect: false,
    troubles: null,
  }
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((atMs) => atMs !== null)
  return known.length === 0 ? null : Math.min(...known)
}
