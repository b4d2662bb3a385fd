import type { RunProcess } from '../../model/black-box.ts'

/** Asked of the engine's `ps`: its words for pid, state, CPU time, resident KiB and name. */
export const TOP_ARGS = '-o pid,stat,time,rss,comm'

const NAME_CHARS = 64

/** Reads the engine's table of a container's processes; rows it cannot read are left out. Pure. */
export function parseTop(titles: readonly string[], rows: readonly (readonly string[])[]): RunProcess[] {
  const column = (title: string) => titles.findIndex((each) => each.toUpperCase() === title)
  const [pid, state, time, memory, name] = ['PID', 'STAT', 'TIME', 'RSS', 'COMMAND'].map(column)
  const cell = (row: readonly string[], at: number | undefined) => (at === undefined || at < 0 ? undefined : row[at])
  return rows.flatMap((row) => {
    const id = Number(cell(row, pid))
    if (!Number.isSafeInteger(id)) return []
    const kib = Number(cell(row, memory))
    return [
      {
        pid: id,
        name: (cell(row, name) ?? '?').slice(0, NAME_CHARS),
        state: (cell(row, state) ?? '?').slice(0, 1),
        cpuMs: parseTimeMs(cell(row, time)),
        memoryBytes: Number.isFinite(kib) ? kib * 1024 : null,
      },
    ]
  })
}

/** `[days-]hours:minutes:seconds`; null for anything else. */
function parseTimeMs(text: string | undefined): number | null {
  const match = /^(?:(\d+)-)?(\d+):(\d+):(\d+)$/.exec(text ?? '')
  if (match === null) return null
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0))
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
}
