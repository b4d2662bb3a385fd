import { join } from 'node:path'
import type { HostConfig } from '../../config/config.ts'
import { formatDuration } from '../../config/duration.ts'
import { formatSize } from '../../config/size.ts'
import { findLeftovers, searchBy } from '../../effects/find-leftovers.ts'
import { findMisfits, type Misfits } from '../../repair/find-misfits.ts'
import { LINK_CURE } from '../../repair/repair-misfits.ts'
import { failedCheck } from '../../runtime/check-one.ts'
import { createRuntimes } from '../../runtime/create-runtimes.ts'
import { listRegisteredNames } from '../../runtime/process/run-registry.ts'
import type { Check, Runtime } from '../../runtime/runtime.ts'
import { readHolder } from '../../store/host-lock.ts'
import { openStoreReadOnly } from '../../store/sqlite/open-store.ts'
import type { StoreReader } from '../../store/store.ts'
import { realWorld } from '../../world.ts'
import { listSome } from '../format/list-some.ts'

const DIRECTORIES = 'session directories'

const REPAIR = '`sessiond doctor --repair`, with the host stopped,'

/**
 * Whether files, store and runtimes tell of the same sessions and runs; changes nothing. What a running host removes by
 * itself is no problem, so runtimes are asked only while there is none.
 */
export async function checkLeftovers(config: HostConfig, env: NodeJS.ProcessEnv, nowMs: number): Promise<Check[]> {
  const { dataDir } = config
  const store = await openStoreReadOnly(dataDir).catch(() => null)
  // The check of the store says why.
  if (store === null) return []
  try {
    const checks = await checkDirectories(config, store, nowMs)
    const { isHeld } = await readHolder(dataDir)
    // What a copy does not know may be its original's; the check of the store says that it is one.
    const isCopy = await store.refuseCopy().then(
      () => false,
      () => true,
    )
    return isHeld || isCopy ? checks : [...checks, ...(await checkRuntimes(config, store, env))]
  } finally {
    await store.close()
  }
}

async function checkDirectories(config: HostConfig, store: StoreReader, nowMs: number): Promise<Check[]> {
  try {
    const misfits = await findMisfits(config.dataDir, store, nowMs)
    return [...problemsOf(misfits, config), ...setAsideOf(misfits)]
  } catch (error) {
    return [failedCheck(DIRECTORIES, error)]
  }
}

function problemsOf({ misplaced, missing, sessions, directories }: Misfits, { cleaning }: HostConfig): Check[] {
  const name = DIRECTORIES
  const unknown = misplaced.filter(({ why }) => why === 'unknown').map(({ path }) => path)
  const odd = misplaced.filter(({ why }) => why === 'no-directory').map(({ path }) => path)
  const links = misplaced.filter(({ why }) => why === 'link').map(({ path }) => path)
  const toTrash = `${REPAIR} moves them to the trash, which keeps them for ${formatDuration(cleaning.trashMs)}.`
  const problems: Check[] = []
  if (unknown.length > 0) {
    problems.push({ name, ok: false, detail: `${listSome(unknown)}: no such session is on record`, cure: toTrash })
  }
  if (odd.length > 0) {
    const detail = `${listSome(odd)}: no directory, where only directories of sessions belong`
    problems.push({ name, ok: false, detail, cure: toTrash })
  }
  if (links.length > 0) {
    const detail = `${listSome(links)}: a link, which is not followed, in the place of a directory`
    problems.push({ name, ok: false, detail, cure: LINK_CURE })
  }
  if (missing.length > 0) {
    const detail = `${listSome(missing)}: its directory is gone, and its workspace with it`
    const cure = `Restore it from a backup; ${REPAIR} makes it anew, with an empty workspace.`
    problems.push({ name, ok: false, detail, cure })
  }
  const fine = `directories: ${directories}, sessions on record: ${sessions}`
  return problems.length > 0 ? problems : [{ name, ok: true, detail: fine }]
}

function setAsideOf({ setAside: { files, bytes } }: Misfits): Check[] {
  if (files === 0) return []
  const size = formatSize(Math.ceil(bytes / 1024) * 1024)
  const detail = `unreadable ones kept in runs/ of their sessions: ${files} (${size}); nothing waits for them`
  return [{ name: 'mailboxes set aside', ok: true, detail }]
}

async function checkRuntimes(config: HostConfig, store: StoreReader, env: NodeJS.ProcessEnv): Promise<Check[]> {
  const { installId } = store
  const alsoNeeded = (await store.listLiveRuns()).map((run) => run.runtime)
  const runtimes = createRuntimes({ config, installId, world: realWorld, hostEnvironment: env, alsoNeeded })
  const checks: Check[] = []
  for (const runtime of runtimes.values()) {
    try {
      checks.push(...leftoverChecks(runtime.name, await namesOf(runtime, config, store)))
    } catch {
      // That the runtime cannot be asked has its own line.
    } finally {
      await runtime.close()
    }
  }
  return checks
}

interface LeftoverNames {
  readonly runs: readonly string[]
  readonly resources: readonly string[]
}

async function namesOf(runtime: Runtime, config: HostConfig, store: StoreReader): Promise<LeftoverNames> {
  const search = searchBy(config, store)
  if (runtime.name === 'process') {
    // By their files alone: the process runtime itself takes what it finds in its care.
    const registered = await listRegisteredNames(join(config.dataDir, 'process-runs'), store.installId)
    const live = await search.readLiveRuns()
    return { runs: registered.filter((run) => !live.has(run)), resources: [] }
  }
  const { runs, resources } = await findLeftovers(runtime, search)
  return { runs: runs.map(({ name }) => name), resources: resources.map(({ kind, name }) => `${kind} ${name}`) }
}

function leftoverChecks(runtime: string, { runs, resources }: LeftoverNames): Check[] {
  const name = `leftovers of ${runtime}`
  const cure = 'The next `sessiond up` removes them; so does `sessiond doctor --repair`.'
  const problems: Check[] = []
  if (runs.length > 0) problems.push({ name, ok: false, detail: `${listSome(runs)}: no live run knows of it`, cure })
  if (resources.length > 0) problems.push({ name, ok: false, detail: `${listSome(resources)}: nothing uses it`, cure })
  return problems.length > 0 ? problems : [{ name, ok: true, detail: 'none' }]
}
