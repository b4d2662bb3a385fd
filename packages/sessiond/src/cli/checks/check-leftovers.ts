import { join } from 'node:path'
import type { HostConfig } from '../../config/config.ts'
import { formatSize } from '../../config/size.ts'
import { findMisfits, type Misfits } from '../../repair/find-misfits.ts'
import { failedCheck } from '../../runtime/check-one.ts'
import { createRuntimes } from '../../runtime/create-runtimes.ts'
import { listRegisteredNames } from '../../runtime/process/run-registry.ts'
import type { Check, Runtime } from '../../runtime/runtime.ts'
import { readHolder } from '../../store/host-lock.ts'
import { openStoreReadOnly } from '../../store/sqlite/open-store.ts'
import type { StoreReader } from '../../store/store.ts'
import { realWorld } from '../../world.ts'

const DIRECTORIES = 'session directories'

/** So many are named; of more, the number tells enough. */
const NAMED = 10

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
    return isHeld ? checks : [...checks, ...(await checkRuns(config, store, env))]
  } finally {
    await store.close()
  }
}

async function checkDirectories({ dataDir }: HostConfig, store: StoreReader, nowMs: number): Promise<Check[]> {
  try {
    const misfits = await findMisfits(dataDir, store, nowMs)
    return [...problemsOf(misfits), ...setAsideOf(misfits)]
  } catch (error) {
    return [failedCheck(DIRECTORIES, error)]
  }
}

function problemsOf({ misplaced, missing, sessions, directories }: Misfits): Check[] {
  const name = DIRECTORIES
  const unknown = misplaced.filter(({ why }) => why === 'unknown').map(({ path }) => path)
  const odd = misplaced.filter(({ why }) => why === 'no-directory').map(({ path }) => path)
  const problems: Check[] = []
  if (unknown.length > 0) {
    const detail = `${listed(unknown)}: no such session is on record`
    problems.push({ name, ok: false, detail, cure: `${REPAIR} moves them to the trash.` })
  }
  if (odd.length > 0) {
    const detail = `${listed(odd)}: no directory, where only directories of sessions belong`
    problems.push({ name, ok: false, detail, cure: `${REPAIR} moves them to the trash.` })
  }
  if (missing.length > 0) {
    const detail = `${listed(missing)}: its directory is gone, and its workspace with it`
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

async function checkRuns(config: HostConfig, store: StoreReader, env: NodeJS.ProcessEnv): Promise<Check[]> {
  const live = await store.listLiveRuns()
  const names = new Set(live.map((run) => run.name))
  const alsoNeeded = live.map((run) => run.runtime)
  const { installId } = store
  const runtimes = createRuntimes({ config, installId, world: realWorld, hostEnvironment: env, alsoNeeded })
  const checks: Check[] = []
  for (const [name, runtime] of runtimes) {
    try {
      // By their files alone: the process runtime itself takes what it finds in its care.
      const found =
        name === 'process'
          ? await listRegisteredNames(join(config.dataDir, 'process-runs'), installId)
          : await runsOf(runtime)
      checks.push(
        ...leftoverCheck(
          name,
          found.filter((run) => !names.has(run)),
        ),
      )
    } catch {
      // That the runtime cannot be asked has its own line.
    } finally {
      await runtime.close()
    }
  }
  return checks
}

function leftoverCheck(runtime: string, left: readonly string[]): Check[] {
  const name = `leftovers of ${runtime}`
  if (left.length === 0) return [{ name, ok: true, detail: 'none' }]
  const detail = `${listed(left)}: no live run knows of it`
  return [{ name, ok: false, detail, cure: 'The next `sessiond up` removes them; so does `sessiond doctor --repair`.' }]
}

async function runsOf(runtime: Runtime): Promise<string[]> {
  return (await runtime.list()).map((run) => run.name)
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).join(', ')
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown
}
