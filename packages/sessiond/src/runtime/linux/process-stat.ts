/** The few fields of /proc/<pid>/stat that tell one process from another, and what it has used. */
export interface ProcessStat {
  readonly pid: number
  readonly isDead: boolean
  readonly parentPid: number
  readonly groupId: number
  readonly sessionId: number
  /** CPU time of its own, in user programs and in the kernel. */
  readonly ownTicks: number
  /** The same of its children that have ended and that it has waited for, theirs included. */
  readonly waitedTicks: number
  /** Start, in clock ticks since boot. */
  readonly startTicks: string
}

/** Fields 3 to 22. */
const FIELDS = 20

/** Reads a line of /proc/<pid>/stat. The name in it is the program's to choose: brackets and spaces included. */
export function parseProcessStat(line: string): ProcessStat {
  const nameEnd = line.lastIndexOf(')')
  // The slice begins with field 3 of the line, as proc(5) counts them.
  const fields = line.slice(nameEnd + 2).split(' ', FIELDS)
  const numberOf = (field: number) => Number(fields[field - 3])
  const [state, startTicks] = [fields[0], fields[19]]
  const stat = {
    pid: Number.parseInt(line, 10),
    parentPid: numberOf(4),
    groupId: numberOf(5),
    sessionId: numberOf(6),
    ownTicks: numberOf(14) + numberOf(15),
    // Signed, where the others are not.
    waitedTicks: Math.max(0, numberOf(16)) + Math.max(0, numberOf(17)),
  }
  const isWhole = nameEnd >= 0 && /^\d+$/.test(startTicks ?? '') && Object.values(stat).every(Number.isFinite)
  if (!isWhole || startTicks === undefined) throw new Error('unreadable /proc stat line')
  return { ...stat, startTicks, isDead: state === 'Z' || state === 'X' || state === 'x' }
}
