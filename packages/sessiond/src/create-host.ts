import type { HostApi } from './api.ts'
import { compileConfig } from './config/compile-config.ts'
import type { HostConfig } from './config/config.ts'
import type { HostOptions } from './config/options.ts'
import { type HostExtras, type RunningHost, startHost } from './host.ts'
import { SessiondError } from './model/errors.ts'

/** A host of one data directory. Its calls throw HOST_NOT_RUNNING before `start` and after `stop`. */
export interface Host extends HostApi {
  readonly config: HostConfig
  /** Where the API listens; null while it does not. */
  readonly apiUrl: string | null
  /**
   * Takes the lock, opens the store, recovers what an earlier host left, sweeps once and opens the API. Throws the
   * SessiondError of the first step that fails, with nothing left open. Idempotent; a stopped host may be started again.
   */
  start(): Promise<void>
  /** Drains within `shutdown.drain` and releases everything in reverse order. Idempotent. */
  stop(): Promise<void>
}

/** Makes a host of these options. Nothing is touched before `start`. Throws CONFIG_INVALID, naming every problem. */
export function createHost(options: HostOptions | HostConfig, extras: HostExtras = {}): Host {
  const config = isConfig(options) ? options : compileConfig(options, { env: process.env, baseDir: process.cwd() })
  let running: RunningHost | null = null
  // Starts and stops take turns: a stop asked for during a start is carried out after it.
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work)
    turn = mine.catch(() => {
      // Whoever asked is told; the next one has its own turn.
    })
    return mine
  }
  return {
    ...callsOf(() => running?.operations ?? notRunning()),
    config,
    get apiUrl() {
      return running?.apiUrl ?? null
    },
    start: () =>
      inTurn(async () => {
        running ??= await startHost(config, extras)
      }),
    stop: () =>
      inTurn(async () => {
        try {
          await running?.stop()
        } finally {
          running = null
        }
      }),
  }
}

function notRunning(): never {
  throw new SessiondError('HOST_NOT_RUNNING', 'This host is not running.', { cure: 'Call its start() first.' })
}

/** Every call of the API, passed on to the host that runs when the call is made. */
function callsOf(host: () => HostApi): HostApi {
  return {
    send: async (request) => host().send(request),
    sendMany: async (requests) => host().sendMany(requests),
    listSessions: async (query) => host().listSessions(query),
    showSession: async (sessionId, limit) => host().showSession(sessionId, limit),
    listMessages: async (query) => host().listMessages(query),
    listReplies: async (query) => host().listReplies(query),
    showMessage: async (messageId, limit) => host().showMessage(messageId, limit),
    cancelMessage: async (messageId) => host().cancelMessage(messageId),
    stopSession: async (sessionId) => host().stopSession(sessionId),
    closeSession: async (sessionId) => host().closeSession(sessionId),
    listRuns: async (sessionId, limit) => host().listRuns(sessionId, limit),
    readRunLog: async (sessionId, epoch, maxBytes) => host().readRunLog(sessionId, epoch, maxBytes),
    why: async (query) => host().why(query),
    listDead: async (query) => host().listDead(query),
    showDead: async (id) => host().showDead(id),
    replayDead: async (id) => host().replayDead(id),
    dropDead: async (id) => host().dropDead(id),
    previewSchedule: async (request) => host().previewSchedule(request),
    schedule: async (request) => host().schedule(request),
    listSeries: async (query) => host().listSeries(query),
    showSeries: async (id) => host().showSeries(id),
    updateSeries: async (id, changes) => host().updateSeries(id, changes),
    pauseSeries: async (id) => host().pauseSeries(id),
    resumeSeries: async (id) => host().resumeSeries(id),
    runSeriesNow: async (id) => host().runSeriesNow(id),
    cancelSeries: async (id) => host().cancelSeries(id),
    listLedger: async (query) => host().listLedger(query),
    checkLedger: async (seriesId) => host().checkLedger(seriesId),
    setTimeZone: async (sessionId, timeZone) => host().setTimeZone(sessionId, timeZone),
    events: (query) => host().events(query),
    lastEventId: async () => host().lastEventId(),
    sweepOnce: async (options) => host().sweepOnce(options),
    planPruning: async (request) => host().planPruning(request),
    listPlannedRemovals: async (query) => host().listPlannedRemovals(query),
    startPruning: async (request) => host().startPruning(request),
    readPruning: async (id) => host().readPruning(id),
    health: async () => host().health(),
  }
}

function isConfig(options: HostOptions | HostConfig): options is HostConfig {
  return options.groups instanceof Map
}
