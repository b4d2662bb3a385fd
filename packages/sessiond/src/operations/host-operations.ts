import type { Health, HostApi, SessionDetail } from '../api.ts'
import type { EventFeed } from '../events/event-feed.ts'
import { SessiondError } from '../model/errors.ts'
import type { Reply } from '../model/reply.ts'
import type { DiskFloor } from '../observe/disk-floor.ts'
import type { PruningDesk } from '../prune/pruning-desk.ts'
import type { Supervisor } from '../sweep/supervisor.ts'
import { VERSION } from '../version.ts'
import { dropDead, replayDead, showDead } from './dead-letters.ts'
import { explainWhy } from './explain-why.ts'
import { readHealth } from './read-health.ts'
import { readRunLog } from './read-run-log.ts'
import { sendMessages } from './send-messages.ts'
import { createSeriesOperations, type SeriesDeps, seriesNotFound } from './series-operations.ts'
import { cancelMessage, closeSession, type StopDeps, sessionNotFound, stopSession } from './stop-session.ts'

export interface OperationsDeps extends Omit<StopDeps, 'trigger'> {
  readonly supervisor: Supervisor
  readonly feed: EventFeed
  readonly pruning: PruningDesk
  readonly cleaner: { failingForMs(): number | null }
  readonly diskFloor: DiskFloor
  readonly kickDelivery: () => void
  readonly isStopping: () => boolean
  readonly startedAtMs: number
}

const DEFAULT_LIMIT = 100
/** What one page of any list holds at most. */
const MAX_LIMIT = 1_000
/** What the texts of one list of an answer come to at most: a thousand long ones would stall the host, or exceed a string. */
const MAX_LIST_BYTES = 8 * 1024 * 1024

/** Everything that can be asked of a running host, put together from the operations beside this file. */
export function createOperations(deps: OperationsDeps): HostApi {
  const { store, world, supervisor, feed } = deps
  const stopDeps = stopDepsOf(deps)
  const deadDeps = { store, nowMs: () => world.now() }
  const sendDeps = { ...deps, onAccepted: supervisor.noteAccepted.bind(supervisor) }
  return {
    async send(request) {
      const [outcome] = await sendMessages(sendDeps, [request])
      if (outcome === undefined || outcome instanceof SessiondError) throw outcome
      return outcome
    },
    sendMany: (requests) => sendMessages(sendDeps, requests),
    listSessions: (query) => store.listSessions({ ...query, limit: clamp(query.limit), nowMs: world.now() }),
    showSession: (sessionId, limit) => showSession(deps, sessionId, limit),
    async listMessages(query) {
      await requireSession(deps, query.sessionId)
      return store.listMessages({ ...query, ...page(query.limit) })
    },
    async showMessage(messageId, limit) {
      const message = await store.getMessage(messageId)
      if (message === null) throw messageNotFound(messageId)
      const { sessionId } = message
      return { message, replies: await store.listReplies({ sessionId, inReplyTo: messageId, ...page(limit) }) }
    },
    listReplies: (query) => listReplies(deps, query),
    cancelMessage: (messageId) => cancelMessage(stopDeps, messageId),
    stopSession: (sessionId) => stopSession(stopDeps, sessionId),
    closeSession: (sessionId) => closeSession(stopDeps, sessionId),
    async listRuns(sessionId, limit) {
      await requireSession(deps, sessionId)
      return store.listRuns(sessionId, clamp(limit))
    },
    readRunLog: (sessionId, epoch, maxBytes) => readRunLog(deps, sessionId, epoch, maxBytes),
    why: (query) => explainWhy(deps, query),
    listDead: (query) => store.listDead({ ...query, ...page(query.limit) }),
    showDead: (id) => showDead(deadDeps, id),
    async replayDead(id) {
      const sessionId = await replayDead(deadDeps, id)
      void supervisor.trigger(sessionId, 'message')
      deps.kickDelivery()
    },
    dropDead: (id) => dropDead(deadDeps, id),
    ...createSeriesOperations(seriesDepsOf(deps)),
    listSeries: (query) => store.listSeries({ ...query, limit: clamp(query.limit) }),
    async listLedger(query) {
      if ((await store.getSeries(query.seriesId)) === null) throw seriesNotFound(query.seriesId)
      return store.listLedger({ ...query, limit: clamp(query.limit) })
    },
    events: (query) => feed.subscribe(query),
    lastEventId: () => store.lastJournalId(),
    sweepOnce: (options) => supervisor.sweepOnce(options),
    planPruning: (request) => deps.pruning.plan(request),
    listPlannedRemovals: async (query) => deps.pruning.listRemovals(query),
    startPruning: async ({ planId, trash = false }) => deps.pruning.start(planId, trash),
    readPruning: async (id) => deps.pruning.read(id),
    health: (): Promise<Health> => readHealth({ ...deps, version: VERSION }),
  }
}

/** What operations on series work with: those of people, and those of agents. */
export function seriesDepsOf(deps: OperationsDeps): SeriesDeps {
  const { supervisor } = deps
  return {
    ...deps,
    cancelMessage: (id) => cancelMessage(stopDepsOf(deps), id),
    onCancelRequested: (sessionId) => supervisor.noteMailboxBehind(sessionId),
    onChanged: () => supervisor.noteSeriesChanged(),
  }
}

function stopDepsOf(deps: OperationsDeps): StopDeps {
  return { ...deps, trigger: (sessionId, cause) => deps.supervisor.trigger(sessionId, cause) }
}

async function listReplies(
  { store }: OperationsDeps,
  { messageId, after, limit }: Parameters<HostApi['listReplies']>[0],
): Promise<Reply[]> {
  const message = await store.getMessage(messageId)
  if (message === null) throw messageNotFound(messageId)
  if (after !== undefined) {
    // From the first again would hand everything out twice.
    const [last] = await store.getReplies([after])
    if (last?.inReplyTo !== messageId) {
      throw new SessiondError('BAD_REQUEST', `after names no reply to ${messageId} (any more): '${after}'.`, {
        fields: { field: 'after' },
        cure: 'List the replies from the first: one that was delivered long ago may be gone.',
      })
    }
  }
  const { sessionId } = message
  return store.listRepliesAfter({ sessionId, inReplyTo: messageId, afterId: after ?? null, ...page(limit) })
}

async function showSession(deps: OperationsDeps, sessionId: string, limit: number | undefined): Promise<SessionDetail> {
  const { store, world } = deps
  const nowMs = world.now()
  const [session, facts, summary, next] = await Promise.all([
    store.getSession(sessionId),
    store.readFacts(sessionId, nowMs),
    store.getSessionSummary(sessionId, nowMs),
    deps.supervisor.explain(sessionId),
  ])
  if (session === null || facts === null || summary === null || next === null) throw sessionNotFound(sessionId)
  const messages = await store.listMessages({ sessionId, ...page(limit) })
  const { action, because } = next
  return {
    session,
    summary,
    run: facts.run,
    next: { action, because },
    messages,
    replies: await store.listReplies({ sessionId, ...page(limit) }),
  }
}

async function requireSession(deps: OperationsDeps, sessionId: string): Promise<void> {
  if ((await deps.store.getSession(sessionId)) === null) throw sessionNotFound(sessionId)
}

function messageNotFound(messageId: string): SessiondError {
  return new SessiondError('MESSAGE_NOT_FOUND', `There is no message ${messageId}.`, { fields: { messageId } })
}

function page(limit: number | undefined): { limit: number; maxBytes: number } {
  return { limit: clamp(limit), maxBytes: MAX_LIST_BYTES }
}

function clamp(limit: number | undefined): number {
  return Math.min(Math.max(1, limit ?? DEFAULT_LIMIT), MAX_LIMIT)
}
