import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SessiondError } from '../model/errors.ts'

/** Which process made it stands in the name. */
const NAME = /^sessiond-read-(\d+)-/
/** A reader that is at work makes and removes a folder in it for every copy. */
const ABANDONED_MS = 3_600_000

/**
 * Makes a private folder for copies of databases in the system's temporary directory. Those that killed processes of this
 * user have left there are removed: what is in them is no longer of use, and somebody's conversations. Throws
 * INSTALLATION_UNREADABLE where there can be none.
 */
export async function makeCopiesFolder(nowMs: number): Promise<string> {
  const names = await readdir(tmpdir()).catch(() => [])
  for (const name of names) {
    const [, pid] = NAME.exec(name) ?? []
    if (pid !== undefined && (await isAbandoned(join(tmpdir(), name), Number(pid), nowMs))) {
      // Whatever cannot be removed is for the next one; it keeps nobody from reading.
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {})
    }
  }
  return makeFolderIn(tmpdir())
}

async function makeFolderIn(folder: string): Promise<string> {
  try {
    return await mkdtemp(join(folder, `sessiond-read-${process.pid}-`))
  } catch (cause) {
    throw new SessiondError('INSTALLATION_UNREADABLE', `No copy of a database can be made in ${folder}.`, {
      fields: { path: folder },
      cause,
      cure: 'Set TMPDIR to a folder that this user may write and that has room.',
    })
  }
}

/** The number alone does not say: in another container it may be that of a process which cannot be seen from here. */
async function isAbandoned(path: string, pid: number, nowMs: number): Promise<boolean> {
  const seen = await lstat(path).catch(() => null)
  if (seen === null || !seen.isDirectory() || seen.uid !== process.getuid?.()) return false
  return nowMs - seen.mtimeMs > ABANDONED_MS && !isAlive(pid)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's is alive as well.
    return error instanceof Error && Reflect.get(error, 'code') !== 'ESRCH'
  }
}
