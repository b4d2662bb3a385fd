import { open, stat } from 'node:fs/promises'
import { RUN_ENV } from '@sessiond/protocol'
import { isGone } from '../linux/read-small-file.ts'

/** Environments are the run's to write; no more than this of one is read. */
export const MAX_ENVIRONMENT_BYTES: number = 256 * 1024

const RUN_NAME = `${RUN_ENV.run}=`

/** Values of SESSIOND_RUN in the environment of a process, by its folder in /proc; null: not ours to look into. */
export async function readRunNames(folder: string, buffer: Buffer): Promise<string[] | null> {
  try {
    const { uid } = await stat(folder)
    if (uid !== process.getuid?.()) return null
    const entries = (await readEnvironment(folder, buffer)).split('\0')
    return entries.filter((entry) => entry.startsWith(RUN_NAME)).map((entry) => entry.slice(RUN_NAME.length))
  } catch (error) {
    // A process we may not look into is not one we started.
    if (isGone(error) || (error as NodeJS.ErrnoException).code === 'EACCES') return null
    throw error
  }
}

async function readEnvironment(folder: string, buffer: Buffer): Promise<string> {
  await using file = await open(`${folder}/environ`)
  let length = 0
  // The kernel hands out a page at a time.
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.toString('utf8', 0, length)
}
