import { type Logger, pino } from 'pino'
import type { HostApi } from './api.ts'
import type { HostConfig } from './config/config.ts'
import { createSinks } from './delivery/create-sinks.ts'
import { DeliveryLoop } from './delivery/delivery-loop.ts'
import type { EffectDeps } from './effects/deps.ts'
import { EventFeed } from './events/event-feed.ts'
import { logEvents } from './events/log-events.ts'
import { logTroubles, type TroubleLog } from './events/log-troubles.ts'
import { createApp } from './http/app.ts'
import { startServer } from './http/server.ts'
import { ensureToken } from './http/token.ts'
import { FileMailbox } from './mailbox/file-mailbox.ts'
import { hasCode } from './model/errors.ts'
import { DiskFloor } from './observe/disk-floor.ts'
import { DiskSpace } from './observe/disk-space.ts'
import { RunWatches } from './observe/run-watch.ts'
import { createOperations, type OperationsDeps, seriesDepsOf } from './operations/host-operations.ts'
import { Cleaner } from './prune/cleaner.ts'
import { fileMemory } from './prune/cleaning-memory.ts'
import { createHouse } from './prune/create-house.ts'
import { DiskPressure } from './prune/disk-pressure.ts'
import { readDiskUsage } from './prune/disk-usage.ts'
import { createArtifactFiles } from './prune/files/create-artifact-files.ts'
import { withPruneLock } from './prune/prune-lock.ts'
import { PruningDesk } from './prune/pruning-desk.ts'
import { withRealRoots } from './prune/real-roots.ts'
import { ReleaseStack } from './release-stack.ts'
import { answerRequest } from './requests/answer-request.ts'
import { RequestDesk } from './requests/request-desk.ts'
import { createRuntimes } from './runtime/create-runtimes.ts'
import { prepareDataDir } from './store/data-dir.ts'
import { makeReserve } from './store/disk-reserve.ts'
import { acquireHostLock } from './store/host-lock.ts'
import { openStore } from './store/sqlite/open-store.ts'
import type { Store } from './store/store.ts'
import { Supervisor } from './sweep/supervisor.ts'
import { VERSION } from './version.ts'
import { realWorld, type World } from './world.ts'

/** What a program may put in place of the defaults. */
export interface HostExtras {
  readonly world?: World
  readonly logger?: Logger
  /** False: no HTTP server; the library's own calls still work. @default true */
  readonly listen?: boolean
}

/** A host that is up. */
export interface RunningHost {
  readonly operations: HostApi
  /** Where the API listens; null when it does not. */
  readonly apiUrl: string | null
  /** Drains and releases everything in reverse order. */
  stop(): Promise<void>
}

/** Brings a host up; when a step fails, what was acquired is released and the step's error thrown. */
export async function startHost(config: HostConfig, extras: HostExtras): Promise<RunningHost> {
  const releases = new ReleaseStack()
  try {
    return await build(config, extras, releases)
  } catch (error) {
    await releases.releaseAll()
    throw error
  }
}

async function build(config: HostConfig, extras: HostExtras, releases: ReleaseStack): Promise<RunningHost> {
  const world = extras.world ?? realWorld
  const log = extras.logger ?? pino({ name: 'sessiond', level: config.log.level }, pino.destination(2))
  const startedAtMs = world.now()
  await prepareDataDir(config.dataDir)
  const toPrune = await withRealRoots(config)
  const holder = { role: 'host' as const, pid: process.pid, startedAtMs, version: VERSION, apiUrl: null }
  const lock = releases.add(await acquireHostLock(config.dataDir, holder), (held) => held.release())
  const store = releases.add(await openStore({ dataDir: config.dataDir, world }), (opened) => opened.close())
  releases.add(store, (opened) => noteStopped(opened, world))
  const { dataDir } = config
  const mailbox = releases.add(new FileMailbox({ dataDir, world, ...config.mailbox }), (opened) => opened.close())
  const { installId } = store
  const alsoNeeded = (await store.listLiveRuns()).map((run) => run.runtime)
  const runtimes = createRuntimes({ config, world, installId, hostEnvironment: process.env, alsoNeeded })
  for (const runtime of runtimes.values()) releases.add(runtime, (opened) => opened.close())
  const deps: EffectDeps = { config, world, store, mailbox, runtimes, watches: new RunWatches() }

  const troubles = logTroubles(log, world)
  const onError = (where: string, error: unknown) => troubles.error({ err: error }, `${where} failed`)
  const delivery = new DeliveryLoop({ store, world, sinks: createSinks(config, { installId, world }), log })
  // What answers requests needs the supervisor, which is made after the feed.
  let requestReceived = () => {}
  const feed = await EventFeed.open({ store, world }, (records) => {
    logEvents(log, records)
    if (records.some((record) => record.type === 'reply:written')) delivery.kick()
    if (records.some((record) => record.type === 'request:received')) requestReceived()
  })
  releases.add(feed, (opened) => opened.stop())
  const diskFloor = await DiskFloor.open({
    world,
    store,
    diskSpace: new DiskSpace(dataDir, world),
    floorBytes: config.limits.diskFloorBytes,
    onError: (error) => onError('noting how full the disk is', error),
  })
  const supervisor = new Supervisor({ deps, diskFloor, onError })
  let stopByMs: number | null = null
  const leftMs = () => Math.max(0, (stopByMs ?? world.monotonicMs() + config.shutdown.drainMs) - world.monotonicMs())
  releases.add(delivery, (loop) => loop.stop(leftMs()))
  let isRecovered = false
  // A start that fails half-way (a port taken) must leave the agents it has found at work to the next one.
  releases.add(supervisor, (running) => (isRecovered ? running.stop(leftMs()) : running.halt(leftMs())))
  const cleaner = createCleaner(toPrune, world, store, diskFloor, (error) => onError('cleaning', error))
  const operationsDeps: OperationsDeps = {
    ...deps,
    supervisor,
    feed,
    cleaner: cleaner.cleaner,
    pruning: cleaner.desk,
    diskFloor,
    kickDelivery: () => delivery.kick(),
    isStopping: () => stopByMs !== null,
    startedAtMs,
  }
  const operations = createOperations(operationsDeps)
  const answerDeps = { ...seriesDepsOf(operationsDeps), operations }
  const desk = releases.add(
    new RequestDesk({
      world,
      store,
      answer: (request) => answerRequest(answerDeps, request),
      onAnswered: (sessionId) => supervisor.noteMailboxBehind(sessionId),
      onError: (error) => onError('answering agents', error),
    }),
    (opened) => opened.close(),
  )

  const isReady = () => isRecovered
  const apiUrl = extras.listen === false ? null : await listen(config, operations, releases, troubles, world, isReady)
  await store.append([hostLine('host:started', startedAtMs, { version: VERSION, pid: process.pid })])
  await supervisor.start()
  isRecovered = true
  releases.add(cleaner.desk, (opened) => opened.close())
  await releases.add(cleaner.cleaner, (running) => running.stop()).start()
  delivery.kick()
  requestReceived = () => desk.kick()
  desk.open()
  if (apiUrl !== null) await lock.update({ ...holder, apiUrl })

  return {
    operations,
    apiUrl,
    stop: async () => {
      stopByMs = world.monotonicMs() + config.shutdown.drainMs
      await releases.releaseAll()
    },
  }
}

/** Other prunings of the directory that are under way get so long to end. */
const PRUNE_LOCK_WAIT_MS = 10_000

function createCleaner(
  config: HostConfig,
  world: World,
  store: Store,
  diskFloor: DiskFloor,
  onError: (error: unknown) => void,
) {
  const { dataDir, cleaning } = config
  const hasRoom = async () => !(await diskFloor.look()).isLow
  const house = createHouse({ config, world, store, files: createArtifactFiles({ world }), hasRoom })
  const pressure = new DiskPressure({ dataDir, world })
  const cleaner = new Cleaner({
    world,
    policy: cleaning,
    house,
    withLock: (work) =>
      withPruneLock(dataDir, PRUNE_LOCK_WAIT_MS, async () => {
        try {
          return await work()
        } finally {
          // Given up by a start on a full disk, perhaps: now there may be room again.
          makeReserve(dataDir)
        }
      }),
    readUsage: () => readDiskUsage(dataDir),
    floorBytes: config.limits.diskFloorBytes,
    isDiskBusy: () => pressure.isBusy(),
    memory: fileMemory(dataDir),
    note: (entry) => store.append([entry]),
    onError,
  })
  const desk = new PruningDesk({
    world,
    figures: house.figures,
    listGroups: house.listGroups,
    onError,
    plan: (scope) => cleaner.plan(scope),
    carryOut: (plan, options) => cleaner.carryOut(plan, options),
  })
  return { cleaner, desk }
}

async function listen(
  config: HostConfig,
  host: HostApi,
  releases: ReleaseStack,
  log: TroubleLog,
  world: World,
  isReady: () => boolean,
): Promise<string> {
  const token = await ensureToken(config.dataDir)
  const { api, limits } = config
  const app = createApp({ host, token, config: api, limits, version: VERSION, world, log, isReady })
  const server = releases.add(await startServer(app, { host: api.host, port: api.port }), (open) => open.close())
  return server.url
}

/** On a full disk the stop stays unsaid: every start recovers as if there had been none. */
async function noteStopped(store: Store, world: World): Promise<void> {
  try {
    await store.append([hostLine('host:stopped', world.now(), { pid: process.pid })])
  } catch (error) {
    if (!hasCode(error, 'DISK_FULL')) throw error
  }
}

function hostLine(type: 'host:started' | 'host:stopped', atMs: number, detail: Readonly<Record<string, unknown>>) {
  return { type, atMs, sessionId: null, epoch: null, messageId: null, detail }
}
