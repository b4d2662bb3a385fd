import { open, readdir, readFile, stat } from 'node:fs/promises'
import { RUN_ENV } from '@sessiond/protocol'
import { type LinuxStat, parseLinuxStat } from './linux-stat.ts'
import type { ProcessSource, SeenProcess } from './process-table.ts'

/** Environments are the run's to write; no more than this of one is read. */
const MAX_ENVIRONMENT_BYTES = 256 * 1024

const RUN_NAME = `${RUN_ENV.run}=`

/** Processes as /proc tells of them. Start ids carry the boot's id: ticks begin anew with every boot. */
export class LinuxProcessTable implements ProcessSource {
  #bootId: Promise<string> | undefined

  async startIdOf(pid: number): Promise<string | null> {
    const seen = await readStat(pid)
    return seen === null ? null : this.#startId(seen)
  }

  async listProcesses(): Promise<SeenProcess[]> {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid)
    const buffer = Buffer.alloc(MAX_ENVIRONMENT_BYTES)
    const found: SeenProcess[] = []
    for (const pid of pids) {
      const seen = await readStat(pid)
      if (seen === null) continue
      const runNames = await readRunNames(pid, buffer)
      found.push({ pid, startId: await this.#startId(seen), groupIds: [seen.groupId, seen.sessionId], runNames })
    }
    return found
  }

  async #startId(seen: LinuxStat): Promise<string> {
    this.#bootId ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim().slice(0, 8))
    return `${seen.startTicks}-${await this.#bootId}`
  }
}

async function readStat(pid: number): Promise<LinuxStat | null> {
  try {
    const seen = parseLinuxStat(await readFile(`/proc/${pid}/stat`, 'utf8'))
    return seen.isDead ? null : seen
  } catch (error) {
    if (isGone(error)) return null
    throw error
  }
}

async function readRunNames(pid: number, buffer: Buffer): Promise<string[] | null> {
  try {
    const { uid } = await stat(`/proc/${pid}`)
    if (uid !== process.getuid?.()) return null
    const entries = (await readEnvironment(pid, buffer)).split('\0')
    return entries.filter((entry) => entry.startsWith(RUN_NAME)).map((entry) => entry.slice(RUN_NAME.length))
  } catch (error) {
    // A process we may not look into is not one we started.
    if (isGone(error) || (error as NodeJS.ErrnoException).code === 'EACCES') return null
    throw error
  }
}

async function readEnvironment(pid: number, buffer: Buffer): Promise<string> {
  await using file = await open(`/proc/${pid}/environ`)
  let length = 0
  // The kernel hands out a page at a time.
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.toString('utf8', 0, length)
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ESRCH'
}
