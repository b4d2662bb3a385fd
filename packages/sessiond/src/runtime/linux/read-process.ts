import { type ProcessIo, parseProcessIo } from './process-io.ts'
import { type ProcessStat, parseProcessStat } from './process-stat.ts'
import { readSmallFile } from './read-small-file.ts'

/** What /proc says of one process; null: it is gone, or hidden from us. `proc` is where /proc is mounted. */
export function readProcessStat(proc: string, pid: number): ProcessStat | null {
  try {
    const text = readSmallFile(`${proc}/${pid}/stat`)
    return text === null ? null : parseProcessStat(text)
  } catch {
    return null
  }
}

/** What it has moved; `before` when it ended since it was last looked at, null: not ours to read. */
export function readProcessIo<Before>(proc: string, pid: number, before: Before): ProcessIo | Before | null {
  try {
    const text = readSmallFile(`${proc}/${pid}/io`)
    return text === null ? before : parseProcessIo(text)
  } catch {
    return null
  }
}
