import { readdir, readFile } from 'node:fs/promises'
import { type ProcessStat, parseProcessStat } from '../linux/process-stat.ts'
import { isGone } from '../linux/read-small-file.ts'
import { MAX_ENVIRONMENT_BYTES, readRunNames } from './linux-environment.ts'
import type { ProcessSource, SeenProcess } from './process-table.ts'

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
      const runNames = await readRunNames(`/proc/${pid}`, buffer)
      found.push({ pid, startId: await this.#startId(seen), groupIds: [seen.groupId, seen.sessionId], runNames })
    }
    return found
  }

  async #startId(seen: ProcessStat): Promise<string> {
    this.#bootId ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim().slice(0, 8))
    return `${seen.startTicks}-${await this.#bootId}`
  }
}

async function readStat(pid: number): Promise<ProcessStat | null> {
  try {
    const seen = parseProcessStat(await readFile(`/proc/${pid}/stat`, 'utf8'))
    return seen.isDead ? null : seen
  } catch (error) {
    if (isGone(error)) return null
    throw error
  }
}
