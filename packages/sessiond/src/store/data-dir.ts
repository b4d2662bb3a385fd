import { constants } from 'node:fs'
import { access, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, SessiondError } from '../model/errors.ts'
import { hasReserve } from './disk-reserve.ts'
import { translateError } from './sqlite/translate-error.ts'

/**
 * Makes sure a data directory exists (mode 0700), belongs to this user, lets nobody else write, and can be written
 * down to the disk. Throws DATA_DIR_UNUSABLE or DISK_FULL saying which; changes nothing of one that exists. A full disk
 * will do where room was kept for a start: whoever gets the lock may use it.
 */
export async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await refuseForeign(dataDir)
    await tryWriting(dataDir)
  } catch (error) {
    const ours = describe(error, dataDir)
    if (!hasCode(ours, 'DISK_FULL') || !hasReserve(dataDir)) throw ours
  }
}

/** Checks the same of a directory that should exist, without creating or writing anything. */
export async function checkDataDir(dataDir: string): Promise<void> {
  try {
    await refuseForeign(dataDir)
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw describe(error, dataDir)
  }
}

async function refuseForeign(dataDir: string): Promise<void> {
  const stats = await stat(dataDir)
  if (!stats.isDirectory()) throw unusable(dataDir, 'is not a directory', 'Name another dataDir.')
  const uid = process.getuid?.()
  if (uid !== undefined && stats.uid !== uid) {
    const cure = `Run sessiond as that user, give the directory away with \`chown\`, or name another dataDir.`
    throw unusable(dataDir, `belongs to user ${stats.uid}; this process runs as user ${uid}`, cure)
  }
  if ((stats.mode & 0o022) !== 0) {
    throw unusable(dataDir, 'may be written by other users', `Run \`chmod go-w\` on it, or name another dataDir.`)
  }
}

const PROBE_BYTES = 64 * 1024
const PROBE_PREFIX = '.write-probe-'

/** Permission bits do not tell of read-only or full file systems: only writing does. */
async function tryWriting(dataDir: string): Promise<void> {
  // Also what processes left that were killed right here; one that is at it writes on into its own file.
  const probes = (await readdir(dataDir)).filter((name) => name.startsWith(PROBE_PREFIX))
  for (const name of probes) await rm(join(dataDir, name), { force: true })
  const path = join(dataDir, `${PROBE_PREFIX}${process.pid}`)
  const probe = await open(path, 'wx', 0o600)
  try {
    await probe.write(Buffer.alloc(PROBE_BYTES, 1))
    await probe.sync()
  } finally {
    await probe.close()
    await rm(path, { force: true })
  }
}

function unusable(dataDir: string, why: string, cure: string): SessiondError {
  return new SessiondError('DATA_DIR_UNUSABLE', `The data directory ${dataDir} ${why}.`, { fields: { dataDir }, cure })
}

function describe(error: unknown, dataDir: string): unknown {
  if (error instanceof SessiondError) return error
  const ours = translateError(error, dataDir)
  if (!(ours instanceof SessiondError) || ours.code !== 'DATA_DIR_UNUSABLE') return ours
  const words = error instanceof Error ? error.message : String(error)
  return new SessiondError('DATA_DIR_UNUSABLE', `The data directory ${dataDir} cannot be used (${words}).`, {
    fields: { dataDir },
    cause: error,
  })
}
