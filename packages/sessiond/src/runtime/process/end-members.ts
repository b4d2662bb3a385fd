import type { World } from '../../world.ts'
import type { MemberQuery, ProcessTable } from './process-table.ts'

const FIRST_WAIT_MS = 5
const MAX_WAIT_MS = 500

/**
 * Kills what a run left behind after its leader's exit and resolves once none of it lives any more: only then is
 * the run over. What refuses to die, or cannot be looked at, is tried again until `signal` says otherwise.
 */
export async function endMembers(
  table: ProcessTable,
  query: MemberQuery,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
    // Unknown is not gone: a look that failed counts as one that found something.
    const living = await killMembers(table, query).catch(() => 1)
    if (living === 0) return
    await new Promise<void>((resolve) => world.setTimer(waitMs, resolve))
  }
}

/** Sends SIGKILL to every living process of a run; returns how many there were. */
export async function killMembers(table: ProcessTable, query: MemberQuery): Promise<number> {
  const members = await table.findMembers(query)
  for (const { pid, startId } of members) {
    // The look took a while: the pid may have gone to another process meanwhile.
    if ((await table.startIdOf(pid)) === startId) sendSignal(pid, 'SIGKILL')
  }
  return members.length
}

/** Signals a process, or a group by its negated id; one that has gone is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
