import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { OUTBOUND_DB } from '@sessiond/protocol'
import { assertHostAlive } from './host-alive.ts'
import { COMPANIONS, lookAt, removeDatabase, removeEntry } from './host-files.ts'
import type { SetAsideInput } from './operations.ts'
import { ensureHostDirectories } from './session-directories.ts'

/** Set-aside databases kept per session. */
const KEPT = 3
const SET_ASIDE = /^(\d{1,16})\.outbound\.db$/

/** Moves an unreadable `outbound.db` and its companions out of the run's reach; returns where to, null if there is none. */
export function setAsideOutbound(input: SetAsideInput): string | null {
  const { paths } = input
  const from = join(paths.out, OUTBOUND_DB)
  const to = join(paths.runs, `${input.epoch}.outbound.db`)
  if (lookAt(paths.out)?.isDirectory() !== true) return null
  ensureHostDirectories(input.dataDir, paths)
  assertHostAlive()
  const moved = moveDatabase(from, to)
  forgetOldest(paths.runs)
  return moved ? to : null
}

function moveDatabase(from: string, to: string): boolean {
  // A link, pipe or directory holds nothing of ours and must not lie in wait for a later reader.
  if (lookAt(from)?.isFile() === false) removeEntry(from)
  const isThere = lookAt(from) !== undefined
  if (isThere) {
    removeDatabase(to)
    // The database first: killed between the two, its journal stays beside no other database.
    renameSync(from, to)
  }
  for (const suffix of COMPANIONS) {
    // Also finishes what a host that was killed here began.
    const follows = lookAt(to) !== undefined && lookAt(to + suffix) === undefined
    if (follows && lookAt(from + suffix)?.isFile() === true) renameSync(from + suffix, to + suffix)
    else removeEntry(from + suffix)
  }
  return isThere
}

function forgetOldest(runs: string): void {
  const epochs = readdirSync(runs)
    .map((name) => Number(SET_ASIDE.exec(name)?.[1] ?? Number.NaN))
    .filter((epoch) => !Number.isNaN(epoch))
    .sort((a, b) => b - a)
  for (const epoch of epochs.slice(KEPT)) removeDatabase(join(runs, `${epoch}.outbound.db`))
}
