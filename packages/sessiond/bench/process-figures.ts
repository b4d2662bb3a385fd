import { readdirSync, readFileSync } from 'node:fs'

/** What a group of processes has used so far and holds now. */
export interface ProcessFigures {
  readonly count: number
  readonly cpuMs: number
  readonly rssBytes: number
}

/** Linux counts CPU time in hundredths of a second. */
const TICK_MS = 10
const PAGE_BYTES = 4096
/** Fields of /proc/<pid>/stat after the name in brackets: parent, user time, system time. */
const PARENT = 1
const USER_TICKS = 11
const SYSTEM_TICKS = 12

/** The mailbox readers of a host; null where the system does not tell. */
export function readerFigures(hostPid: number): ProcessFigures | null {
  if (process.platform !== 'linux') return null
  const readers = childrenOf(hostPid).filter((pid) => readOf(pid, 'cmdline').includes('mailbox/worker'))
  return {
    count: readers.length,
    cpuMs: readers.reduce((sum, pid) => sum + cpuMsOf(pid), 0),
    rssBytes: readers.reduce((sum, pid) => sum + rssBytesOf(pid), 0),
  }
}

function childrenOf(parentPid: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => Number(statOf(pid)[PARENT]) === parentPid)
}

function cpuMsOf(pid: number): number {
  const stat = statOf(pid)
  return (Number(stat[USER_TICKS] ?? 0) + Number(stat[SYSTEM_TICKS] ?? 0)) * TICK_MS
}

function rssBytesOf(pid: number): number {
  return Number(readOf(pid, 'statm').split(' ')[1] ?? 0) * PAGE_BYTES
}

function statOf(pid: number): string[] {
  const text = readOf(pid, 'stat')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function readOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    // It ended between the listing and the look.
    return ''
  }
}
