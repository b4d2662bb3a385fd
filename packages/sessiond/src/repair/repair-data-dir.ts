import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { HostConfig } from '../config/config.ts'
import { type Leftover, removeLeftovers } from '../effects/remove-leftovers.ts'
import { SessiondError } from '../model/errors.ts'
import { createRuntimes } from '../runtime/create-runtimes.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { checkDataDir } from '../store/data-dir.ts'
import { acquireHostLock } from '../store/host-lock.ts'
import { isMissingOrEmpty, STORE_FILE } from '../store/sqlite/open-database.ts'
import { openStoreReadOnly } from '../store/sqlite/open-store.ts'
import type { StoreReader } from '../store/store.ts'
import { VERSION } from '../version.ts'
import type { World } from '../world.ts'
import { findMisfits } from './find-misfits.ts'
import { type Repair, repairMisfits } from './repair-misfits.ts'

export interface DataDirRepair {
  readonly config: HostConfig
  readonly world: World
  readonly hostEnvironment: Readonly<Record<string, string | undefined>>
}

/**
 * Sets right where the files of a data directory, its store and its runtimes disagree, as the one host of it: what nobody
 * knows is moved to the trash, missing directories are made anew, containers and processes of no live run end. Writes
 * nothing to the store and never makes one. Throws, with nothing changed, DATA_DIR_LOCKED while a host runs,
 * STORE_BROKEN, DATA_DIR_UNUSABLE or DATA_DIR_NEWER when the store cannot be trusted with who is known, and
 * REFERENCES_IMPLAUSIBLE when it knows nobody.
 */
export async function repairDataDir(repair: DataDirRepair): Promise<Repair[]> {
  const { config, world } = repair
  const { dataDir } = config
  await checkDataDir(dataDir)
  const store = await openExisting(dataDir)
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
      return await repairLocked(repair, store)
    } finally {
      await lock.release()
    }
  } finally {
    await store.close()
  }
}

async function openExisting(dataDir: string) {
  refuseLostStore(dataDir)
  return openStoreReadOnly(dataDir)
}

/** Throws STORE_BROKEN where there are sessions, and no store, or an empty one, that says whose they are. */
export function refuseLostStore(dataDir: string): void {
  if (!isStoreMissing(dataDir) || !hasSessions(dataDir)) return
  throw new SessiondError('STORE_BROKEN', `${dataDir} has sessions, but its store.db is missing or empty.`, {
    fields: { dataDir },
    cure: 'Restore store.db from a backup, or move the folder sessions/ away to begin anew.',
  })
}

/** An empty one is none: whoever opened it for writing would begin anew. */
export function isStoreMissing(dataDir: string): boolean {
  return isMissingOrEmpty(join(dataDir, STORE_FILE))
}

function hasSessions(dataDir: string): boolean {
  try {
    return readdirSync(join(dataDir, 'sessions')).some((name) => name !== 'lost+found')
  } catch {
    return false
  }
}

async function repairLocked(repair: DataDirRepair, store: Awaited<ReturnType<typeof openExisting>>): Promise<Repair[]> {
  const { config, world, hostEnvironment } = repair
  const damage = await store.checkIntegrity()
  if (damage.length > 0) throw new SessiondError('STORE_BROKEN', `The store is damaged: ${damage.join('; ')}.`)
  const nowMs = world.now()
  const misfits = await findMisfits(config.dataDir, store, nowMs)
  const alsoNeeded = (await store.listLiveRuns()).map((run) => run.runtime)
  const runtimes = createRuntimes({ config, installId: store.installId, world, hostEnvironment, alsoNeeded })
  const userOf = (sessionId: string) => {
    const group = config.groups.get(sessionId.slice(0, sessionId.indexOf('/')))
    return group === undefined ? null : (runtimes.get(group.runtime)?.userOf(group.user) ?? null)
  }
  try {
    const repairs = repairMisfits({ dataDir: config.dataDir, misfits, userOf, nowMs })
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
      readLiveRuns: async () => new Set((await store.listLiveRuns()).map((run) => run.name)),
      networksInUse: new Set([...config.groups.values()].map((group) => group.network)),
      hasResisted: () => false,
      mayGoOn: () => true,
      onDone: async (leftovers) => void repairs.push(...leftovers.map((leftover) => repairOf(runtime, leftover))),
    })
  } catch (error) {
    repairs.push({ done: false, what: error instanceof Error ? error.message : String(error) })
  }
  return repairs
}

function repairOf(runtime: Runtime, { kind, name, isGone, outcome }: Leftover): Repair {
  const what = kind === 'container' ? `run ${name}, which no live run knows,` : `${kind} ${name}, which nothing uses,`
  const become = isGone ? 'was removed' : `is still there: ${outcome}`
  return { done: isGone, what: `${runtime.name}: ${what} ${become}` }
}
