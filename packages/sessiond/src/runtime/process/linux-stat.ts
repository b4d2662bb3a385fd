/** The few fields of /proc/<pid>/stat that tell one process from another. */
export interface LinuxStat {
  readonly pid: number
  readonly isDead: boolean
  readonly groupId: number
  readonly sessionId: number
  /** Start, in clock ticks since boot. */
  readonly startTicks: string
}

/** Reads a line of /proc/<pid>/stat. The name in it is the program's to choose: brackets and spaces included. */
export function parseLinuxStat(line: string): LinuxStat {
  const nameEnd = line.lastIndexOf(')')
  const [state, , groupId, sessionId, ...rest] = line.slice(nameEnd + 2).split(' ')
  // Field 22 of the line; the slice above begins with field 3 and `rest` with field 7.
  const startTicks = rest[15]
  if (nameEnd < 0 || state === undefined || startTicks === undefined) throw new Error('unreadable /proc stat line')
  return {
    pid: Number.parseInt(line, 10),
    isDead: state === 'Z' || state === 'X' || state === 'x',
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    startTicks,
  }
}
