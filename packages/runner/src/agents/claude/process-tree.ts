import { readdirSync, readFileSync } from 'node:fs'

/**
 * Kills a process and all that descend from it, also those that left its group, as shells of tools do. Synchronous, for
 * the last moment of a process; knows Linux only, elsewhere it kills the process alone.
 */
export function killTree(pid: number): void {
  // Found before any is killed: an orphan has another parent.
  for (const victim of [pid, ...descendantsOf(pid)]) kill(victim)
}

function descendantsOf(pid: number): number[] {
  const childrenOf = new Map<number, number[]>()
  for (const candidate of processIds()) {
    const parent = parentOf(candidate)
    if (parent !== null) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), candidate])
  }
  const found: number[] = []
  const open = [pid]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const children = childrenOf.get(next) ?? []
    found.push(...children)
    open.push(...children)
  }
  return found
}

function processIds(): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name before it may hold spaces and brackets.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    // Ended meanwhile.
    return null
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Ended meanwhile.
  }
}
