import { DarwinProcessTable } from './darwin-process-table.ts'
import { LinuxProcessTable } from './linux-process-table.ts'
import type { ProcessIdentity } from './process-identity.ts'

/** What a living process of a run is found by. */
export interface MemberQuery {
  /** The leader's pid, which is also the id of its group and session. */
  readonly groupId: number
  /** Value of SESSIOND_RUN, compared exactly. */
  readonly runName: string
  /**
   * True: whatever is in the group belongs to the run. False: the leader was already gone when we first looked,
   * so the group's id may be someone else's by now and only the run's name counts.
   */
  readonly trustGroup: boolean
}

/** Looks at the system's processes. Dead ones that nobody has reaped yet (zombies) count as gone. */
export interface ProcessTable {
  /** When the process of this pid started; null: no such living process. Throws when it cannot be told. */
  startIdOf(pid: number): Promise<string | null>
  /** Living processes of a run, this user's only. Costs a look at every process: for exits and stops alone. */
  findMembers(query: MemberQuery): Promise<ProcessIdentity[]>
}

/** The process table of this system. */
export function systemProcessTable(): ProcessTable {
  return process.platform === 'linux' ? new LinuxProcessTable() : new DarwinProcessTable()
}
