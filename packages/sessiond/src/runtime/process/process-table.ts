import { DarwinProcessTable } from './darwin-process-table.ts'
import { LinuxProcessTable } from './linux-process-table.ts'
import type { ProcessIdentity } from './process-identity.ts'
import { SharedLook } from './shared-look.ts'

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

/** One process, and by what it may be told to belong to a run. */
export interface SeenProcess extends ProcessIdentity {
  /** Its process group and its session: ids of their leaders. */
  readonly groupIds: readonly number[]
  /** Values of SESSIOND_RUN in its environment; null: not ours to look into. */
  readonly runNames: readonly string[] | null
}

/** How a system tells of its processes. Dead ones that nobody has reaped yet (zombies) count as gone. */
export interface ProcessSource {
  /** When the process of this pid started; null: no such living process. Throws when it cannot be told. */
  startIdOf(pid: number): Promise<string | null>
  /** Every living process, this one aside. */
  listProcesses(): Promise<SeenProcess[]>
}

/** Looks at the system's processes. */
export class ProcessTable {
  readonly #source: ProcessSource
  /** Runs end in crowds (a group is stopped, the host shuts down): one look serves all that wait for one. */
  readonly #look: SharedLook<readonly SeenProcess[]>

  constructor(source: ProcessSource) {
    this.#source = source
    this.#look = new SharedLook(() => source.listProcesses())
  }

  /** When the process of this pid started; null: no such living process. Throws when it cannot be told. */
  startIdOf(pid: number): Promise<string | null> {
    return this.#source.startIdOf(pid)
  }

  /** Living processes of a run. Costs a look at every process, shared with all who ask meanwhile. */
  async findMembers(query: MemberQuery): Promise<ProcessIdentity[]> {
    const seen = await this.#look.take()
    return seen.filter((one) => isMember(one, query)).map(({ pid, startId }) => ({ pid, startId }))
  }
}

/** The process table of this system. */
export function systemProcessTable(): ProcessTable {
  return new ProcessTable(process.platform === 'linux' ? new LinuxProcessTable() : new DarwinProcessTable())
}

function isMember({ groupIds, runNames }: SeenProcess, { groupId, runName, trustGroup }: MemberQuery): boolean {
  if (trustGroup && groupIds.includes(groupId)) return true
  return runNames?.includes(runName) ?? false
}
