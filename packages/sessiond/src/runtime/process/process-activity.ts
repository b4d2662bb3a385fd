import type { World } from '../../world.ts'
import { clockTicksPerSecond } from '../linux/clock-ticks.ts'
import type { ProcessIo } from '../linux/process-io.ts'
import { treeParts } from '../linux/tree-parts.ts'
import { TreeTotal } from '../linux/tree-total.ts'
import { type ActivityTotals, MAX_SAMPLED_PROCESSES } from '../runtime.ts'
import { type RunMember, RunMembers, type WatchedRun } from './run-members.ts'
import { SharedLook } from './shared-look.ts'

interface RunTotals {
  readonly cpuTicks: TreeTotal
  readonly ioBytes: TreeTotal
}

/** What each run's processes have used, by one look at all of them. Linux only. */
export class ProcessActivity {
  readonly #members: RunMembers
  readonly #msPerTick = 1000 / clockTicksPerSecond()
  readonly #look: SharedLook<ReadonlyMap<string, ActivityTotals>>
  #totals: ReadonlyMap<string, RunTotals> = new Map()

  /** `runs`: every run whose processes may be met, not only those asked for. */
  constructor(world: World, runs: () => readonly WatchedRun[], proc?: string) {
    this.#members = new RunMembers(world, proc)
    this.#look = new SharedLook(() => this.#lookAt(runs()))
  }

  /** By run id; a run with no living process, with too many, or with one that may not be looked into, is missing. */
  take(): Promise<ReadonlyMap<string, ActivityTotals>> {
    return this.#look.take()
  }

  async #lookAt(runs: readonly WatchedRun[]): Promise<ReadonlyMap<string, ActivityTotals>> {
    const members = Map.groupBy(await this.#members.look(runs), ({ runId }) => runId)
    this.#totals = new Map(runs.map(({ id }) => [id, this.#totals.get(id) ?? newTotals()]))
    const found = new Map<string, ActivityTotals>()
    for (const [id, totals] of this.#totals) {
      const told = this.#addUp(totals, members.get(id) ?? [])
      if (told !== null) found.set(id, told)
    }
    return found
  }

  #addUp(totals: RunTotals, members: readonly RunMember[]): ActivityTotals | null {
    const processes = members.filter(({ stat }) => !stat.isDead).length
    // Of too many not all have been read: what they did would be missing, and taken for silence.
    if (processes === 0 || members.length > MAX_SAMPLED_PROCESSES) return null
    const cpuTicks = totals.cpuTicks.next(
      treeParts(members, ({ stat }) => {
        return { total: stat.ownTicks + stat.waitedTicks, inherited: stat.waitedTicks }
      }),
    )
    const readable = members.filter(hasIo)
    if (readable.length < members.length) return null
    // The system adds what a child moved to its parent's own figure and keeps no other.
    const ioBytes = totals.ioBytes.next(
      treeParts(readable, ({ io }) => {
        return { total: io.callBytes, inherited: io.callBytes }
      }),
    )
    return { cpuMs: cpuTicks * this.#msPerTick, ioBytes, processes }
  }
}

function newTotals(): RunTotals {
  return { cpuTicks: new TreeTotal(), ioBytes: new TreeTotal() }
}

function hasIo(member: RunMember): member is RunMember & { readonly io: ProcessIo } {
  return member.io !== null
}
