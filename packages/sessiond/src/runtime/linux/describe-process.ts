import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import type { RunProcess } from '../../model/black-box.ts'
import { clockTicksPerSecond } from './clock-ticks.ts'
import { parseProcessStat } from './process-stat.ts'
import { readSmallFile } from './read-small-file.ts'

const NAME_CHARS = 64

/** What /proc says of one process, for people; null: it is gone, or hidden from us. */
export function describeProcess(pid: number, proc = '/proc'): RunProcess | null {
  try {
    const stat = readSmallFile(`${proc}/${pid}/stat`)
    const status = readSmallFile(`${proc}/${pid}/status`)
    if (stat === null || status === null) return null
    const described = parseDescription(stat, status, clockTicksPerSecond())
    // What it calls itself may be the name of a thread.
    return { ...described, name: programOf(`${proc}/${pid}/exe`) ?? described.name }
  } catch {
    return null
  }
}

function programOf(link: string): string | null {
  try {
    return basename(readlinkSync(link)).slice(0, NAME_CHARS)
  } catch {
    return null
  }
}

/** Reads /proc/<pid>/stat and /proc/<pid>/status. The name in them is the program's to choose. Pure. */
export function parseDescription(stat: string, status: string, ticksPerSecond: number): RunProcess {
  const { pid, ownTicks } = parseProcessStat(stat)
  const nameEnd = stat.lastIndexOf(')')
  const [, residentKib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? []
  return {
    pid,
    name: stat.slice(stat.indexOf('(') + 1, nameEnd).slice(0, NAME_CHARS),
    state: stat.charAt(nameEnd + 2),
    cpuMs: (ownTicks * 1000) / ticksPerSecond,
    memoryBytes: residentKib === undefined ? null : Number(residentKib) * 1024,
  }
}
