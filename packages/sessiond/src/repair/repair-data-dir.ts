import type { HostConfig } from '../config/config.ts'
import { searchBy } from '../effects/find-leftovers.ts'
import { type Leftover, removeLeftovers } from '../effects/remove-leftovers.ts'
import { SessiondError } from '../model/errors.ts'
import { createRuntimes } from '../runtime/create-runtimes.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { checkDataDir } from '../store/data-dir.ts'
import { acquireHostLock } from '../store/host-lock.ts'
import type { RenewedInstall } from '../store/sqlite/copied-store.ts'
import { openStoreReadOnly, renewInstallOf } from '../store/sqlite/open-store.ts'
import type { SqliteReader } from '../store/sqlite/sqlite-reader.ts'
import type { StoreReader } from '../store/store.ts'
import { VERSION } from '../version.ts'
import type { World } from '../world.ts'
import { findMisfits } from './find-misfits.ts'
import { type Repair, repairMisfits } from './repair-misfits.ts'

export interface HeldDataDir {
  readonly config: HostConfig
  readonly world: World
}

export interface DataDirRepair extends HeldDataDir {
  readonly hostEnvironment: Readonly<Record<string, string | undefined>>
}

/**
 * Sets right where the files of a data directory, its store and its runtimes disagree, as the one host of it: what nobody
 * knows is moved to the trash, missing directories are made anew, containers and processes of no live run end. Writes
 * nothing to the store and never makes one. Throws, with nothing changed, DATA_DIR_LOCKED
 * while a host runs, STORE_BROKEN, DATA_DIR_UNUSABLE or DATA_DIR_NEWER when the store cannot be trusted with who is known,
 * DATA_DIR_COPIED when what it knows may be its original's, and REFERENCES_IMPLAUSIBLE when it knows nobody.
 */
export function repairDataDir(repair: DataDirRepair): Promise<Repair[]> {
  return whileHeld(repair, (store) => repairHeld(repair, store))
}

/**
 * Makes a copied data directory an install of its own, to which nothing belongs that its original runs. Throws as
 * `repairDataDir` does.
 */
export function renewInstall(held: HeldDataDir): Promise<Repair> {
  return whileHeld(held, async () => renewalOf(await renewInstallOf(held.config.dataDir, held.world)))
}

/** Holds a data directory as a host does for as long as the work takes. */
async function whileHeld<T>({ config, world }: HeldDataDir, work: (store: SqliteReader) => Promise<T>): Promise<T> {
  const { dataDir } = config
  await checkDataDir(dataDir)
  const store = await openStoreReadOnly(dataDir)
  try {
    const holder = {
      role: 'repairer' as const,
      pid: process.pid,
      startedAtMs: world.now(),
      version: VERSION,
      apiUrl: null,
    }
    const lock = await acquireHostLock(dataDir, holder)
    try {
      return await work(store)
    } finally {
      await lock.release()
    }
  } finally {
    await store.close()
  }
}

async function repairHeld(repair: DataDirRepair, store: SqliteReader): Promise<Repair[]> {
  const { config, world, hostEnvironment } = repair
  const damage = await store.checkIntegrity()
  if (damage.length > 0) throw new SessiondError('STORE_BROKEN', `The store is damaged: ${damage.join('; ')}.`)
  await store.refuseCopy()
  const nowMs = world.now()
  const misfits = await findMisfits(config.dataDir, store, nowMs)
  const { installId } = store
  const alsoNeeded = (await store.listLiveRuns()).map((run) => run.runtime)
  const runtimes = createRuntimes({ config, installId, world, hostEnvironment, alsoNeeded })
  const userOf = (sessionId: string) => {
    const group = config.groups.get(sessionId.slice(0, sessionId.indexOf('/')))
    return group === undefined ? null : (runtimes.get(group.runtime)?.userOf(group.user) ?? null)
  }
  try {
    const { trashMs: trashKeptMs } = config.cleaning
    const repairs = repairMisfits({ dataDir: config.dataDir, misfits, userOf, nowMs, trashKeptMs })
    for (const runtime of runtimes.values()) repairs.push(...(await endLeftovers(repair, runtime, store)))
    return repairs
  } finally {
    for (const runtime of runtimes.values()) await runtime.close()
  }
}

async function endLeftovers({ config, world }: DataDirRepair, runtime: Runtime, store: StoreReader): Promise<Repair[]> {
  const repairs: Repair[] = []
  try {
    await removeLeftovers({
      world,
      runtime,
      search: searchBy(config, store),
      hasResisted: () => false,
      mayGoOn: () => true,
      onDone: async (leftovers) => void repairs.push(...leftovers.map((leftover) => repairOf(runtime, leftover))),
    })
  } catch (error) {
    repairs.push({ done: false, what: error instanceof Error ? error.message : String(error) })
  }
  return repairs
}

function renewalOf({ installId, formerId, runsGivenUp }: RenewedInstall): Repair {
  const runs = runsGivenUp === 0 ? '' : `; runs that are live there are left to it: ${runsGivenUp}`
  return { done: true, what: `this is install ${installId} now, and no more ${formerId}, its original${runs}` }
}

function repairOf(runtime: Runtime, { kind, name, isGone, outcome }: Leftover): Repair {
  const what = kind === 'container' ? `run ${name}, which no live run knows,` : `${kind} ${name}, which nothing uses,`
  const become = isGone ? 'was removed' : `is still there: ${outcome}`
  return { done: isGone, what: `${runtime.name}: ${what} ${become}` }
}
