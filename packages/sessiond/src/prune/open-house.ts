import type { HostConfig } from '../config/config.ts'
import { hasCode, SessiondError } from '../model/errors.ts'
import { DiskSpace } from '../observe/disk-space.ts'
import { ReleaseStack } from '../release-stack.ts'
import { takeWithin } from '../store/file-lock.ts'
import { acquireHostLock, type HostLock } from '../store/host-lock.ts'
import { openStore, openStoreReadOnly, refuseMissingStore } from '../store/sqlite/open-store.ts'
import { VERSION } from '../version.ts'
import type { World } from '../world.ts'
import { applyHouse } from './apply-house.ts'
import { type CreateHouse, createHouse } from './create-house.ts'
import { createArtifactFiles } from './files/create-artifact-files.ts'
import type { HouseDeps } from './house.ts'
import { planHouse } from './plan-house.ts'
import { pruneBusy, withPruneLock } from './prune-lock.ts'
import { PruningDesk, type PruningDeskDeps } from './pruning-desk.ts'
import type { PruningSource } from './pruning-source.ts'
import { withRealRoots } from './real-roots.ts'
import { finishedLine } from './tell-pruning.ts'

export interface OpenHouse {
  readonly config: HostConfig
  readonly world: World
  readonly onError: (error: unknown) => void
}

const LOCK_WAIT_MS = 60_000

/**
 * A data directory that no host holds, to be looked at: nothing in it is written. Throws what opening a store throws;
 * DISK_FULL where the disk has not even the room that reading one takes.
 */
export async function openHouseReadOnly({
  world,
  onError,
  ...asked
}: OpenHouse): Promise<PruningSource & AsyncDisposable> {
  const config = await withRealRoots(asked.config)
  const releases = new ReleaseStack()
  const store = releases.add(await openToLook(config.dataDir), (opened) => opened.close())
  const files = releases.add(createArtifactFiles({ world }), (opened) => opened.close())
  const looking: CreateHouse['store'] = {
    readActiveReferences: () => store.readActiveReferences(),
    countPrunableRows: (...query) => store.countPrunableRows(...query),
    listUnarchived: (...query) => store.listUnarchived(...query),
    isSettled: (sessionId) => store.isSettled(sessionId),
    refreshActiveReferences: refuse,
    pruneRows: refuse,
    giveBackSpace: refuse,
    listRuns: refuse,
    recordArchived: refuse,
    putOffArchive: refuse,
  }
  const house = createHouse({ config, world, store: looking, files, hasRoom: roomOf(config, world) })
  return sourceOf(house, { carryOut: refuse, onError }, releases)
}

async function openToLook(dataDir: string) {
  try {
    return await openStoreReadOnly(dataDir)
  } catch (error) {
    if (!hasCode(error, 'DISK_FULL')) throw error
    throw new SessiondError('DISK_FULL', 'The disk has no room for so much as a look at the store.', {
      fields: { dataDir },
      cause: error,
      cure: 'Run `sessiond prune` without --dry-run, for which some room is kept, or free a little by other means.',
    })
  }
}

export interface HouseHolding {
  /** Called once the directory is held, before which nothing needs an orderly end: ends a pruning at its next batch. */
  readonly takeInterrupts: () => AbortSignal
  /** Another pruning holds the directory, and is waited for. */
  readonly onWait: () => void
}

/**
 * The same to be pruned: held like a host holds it for as long as this is open. Throws DATA_DIR_LOCKED when a host has
 * it, PRUNE_BUSY when another pruning has not ended within a minute, and never makes a store where there is none.
 */
export async function openHouse(
  { world, onError, ...asked }: OpenHouse,
  { takeInterrupts, onWait }: HouseHolding,
): Promise<PruningSource & { readonly interrupted: AbortSignal } & AsyncDisposable> {
  const config = await withRealRoots(asked.config)
  const { dataDir } = config
  refuseMissingStore(dataDir)
  const releases = new ReleaseStack()
  try {
    releases.add(await hold(dataDir, world, onWait), (lock) => lock.release())
    const interrupted = takeInterrupts()
    // What cannot be read as it is must not be made anew, or brought up to date, by a pruning (C8).
    await (await openStoreReadOnly(dataDir)).close()
    // Whoever prunes with no host running can wait for it.
    const opening = openStore({ dataDir, world, rewritesAtAnySize: true })
    const store = releases.add(await opening, (opened) => opened.close())
    const files = releases.add(createArtifactFiles({ world }), (opened) => opened.close())
    const house = createHouse({ config, world, store, files, hasRoom: roomOf(config, world) })
    const carryOut: PruningDeskDeps['carryOut'] = async (plan, options) => {
      const fromMs = world.monotonicMs()
      const mayGoOn = async () => !interrupted.aborted
      const outcome = await withPruneLock(dataDir, LOCK_WAIT_MS, () =>
        applyHouse(house, plan, {
          ...options,
          startWith: 'closedSessions',
          rowsFrom: null,
          mayGoOn,
          mayFinish: mayGoOn,
          giveWay: async () => {},
        }),
      )
      const tookMs = world.monotonicMs() - fromMs
      const told = { cause: 'asked', plan, outcome, tookMs, waitedMs: 0, failuresBefore: 0, usedShare: null } as const
      // A journal that cannot be written (a full disk) does not undo what was pruned.
      await store.append([await finishedLine(told, world.now())]).catch(onError)
      return outcome
    }
    return Object.assign(sourceOf(house, { carryOut, onError }, releases), { interrupted })
  } catch (error) {
    await releases.releaseAll()
    throw error
  }
}

async function hold(dataDir: string, world: World, onWait: () => void): Promise<HostLock> {
  const holder = { role: 'pruner' as const, pid: process.pid, startedAtMs: world.now(), version: VERSION, apiUrl: null }
  let isWaiting = false
  const tryHolding = async () => {
    try {
      return await acquireHostLock(dataDir, holder)
    } catch (error) {
      // A holder that did not say what it is (on a full disk it cannot) may be a pruner.
      const { role = 'pruner' } = hasCode(error, 'DATA_DIR_LOCKED') ? error.fields : { role: null }
      if (role !== 'pruner') throw error
      if (!isWaiting) onWait()
      isWaiting = true
      return null
    }
  }
  const lock = await takeWithin(LOCK_WAIT_MS, tryHolding, world)
  if (lock === null) throw pruneBusy(dataDir)
  return lock
}

function roomOf({ dataDir, limits }: HostConfig, world: World): CreateHouse['hasRoom'] {
  const disk = new DiskSpace(dataDir, world)
  return async () => ((await disk.freeBytes()) ?? Number.POSITIVE_INFINITY) >= limits.diskFloorBytes
}

function sourceOf(
  house: HouseDeps,
  acting: Pick<PruningDeskDeps, 'carryOut' | 'onError'>,
  releases: ReleaseStack,
): PruningSource & AsyncDisposable {
  const { world, figures, listGroups } = house
  const desk = new PruningDesk({
    world,
    figures,
    listGroups,
    plan: (scope) => planHouse(house, scope),
    ...acting,
  })
  releases.add(desk, (opened) => opened.close())
  return {
    planPruning: (request) => desk.plan(request),
    listPlannedRemovals: async (query) => desk.listRemovals(query),
    startPruning: async ({ planId, trash }) => desk.start(planId, trash),
    readPruning: async (id) => desk.read(id),
    [Symbol.asyncDispose]: () => releases.releaseAll(),
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new SessiondError('INTERNAL', 'A dry run was asked to change something.'))
}
