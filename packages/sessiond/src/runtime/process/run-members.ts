import { readdirSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { World } from '../../world.ts'
import type { ProcessIo } from '../linux/process-io.ts'
import type { ProcessStat } from '../linux/process-stat.ts'
import { readProcessIo, readProcessStat } from '../linux/read-process.ts'
import { MAX_SAMPLED_PROCESSES } from '../runtime.ts'
import { MAX_ENVIRONMENT_BYTES, readRunNames } from './linux-environment.ts'
import type { MemberQuery } from './process-table.ts'

/** A process of a run, living or not yet waited for, with what it has used. */
export interface RunMember {
  readonly runId: string
  readonly stat: ProcessStat
  /** Null: not ours to read, or never read in a run of too many. */
  readonly io: ProcessIo | null
}

export interface WatchedRun {
  readonly id: string
  readonly query: MemberQuery
  /** Found again after a restart of the host: its processes may be older than the look that first hears of it. */
  readonly isAdopted: boolean
}

/**
 * A known stranger is looked at again in every so many looks only: its pid may have gone to another process, but pids
 * come round slowly.
 */
const LOOKS_PER_ROUND = 8

/** Reading an environment may hang with the process; then it is taken for a stranger. */
const ENVIRONMENT_WAIT_MS = 500

/** Bound on environments read in one look; whoever is left over has its turn in the next. */
const MAX_ENVIRONMENTS = 500

/** Some 10 ms. */
const READS_PER_TURN = 512

/** A process that ended before it could be asked. */
const NOTHING: ProcessIo = { callBytes: 0, storageBytes: 0 }

/**
 * Knows the processes of all runs from look to look, so that a look costs a few small reads for each of them and for
 * what is new, whatever else the machine runs. A process belongs to a run by its group or session, by its parent, or by
 * its environment as it was when first seen; and then for good. Linux only.
 */
export class RunMembers {
  readonly #world: World
  readonly #proc: string
  #members: ReadonlyMap<number, RunMember> = new Map()
  /** Start of each known stranger, by pid. */
  #strangers = new Map<number, string>()
  #adopted: ReadonlySet<string> = new Set()
  #looks = 0
  #readsInTurn = 0

  constructor(world: World, proc = '/proc') {
    this.#world = world
    this.#proc = proc
  }

  /**
   * Every process of these runs, parents before their children; one look at a time. Of a run of more than
   * MAX_SAMPLED_PROCESSES some are told with what they had used when last read.
   */
  async look(runs: readonly WatchedRun[]): Promise<RunMember[]> {
    this.#looks += 1
    this.#meet(runs)
    const pids = this.#listPids()
    const ids = new Set(runs.map(({ id }) => id))
    const known = await this.#readKnown(pids, ids)
    const members = new Map(known.map((member) => [member.stat.pid, member]))
    await this.#addNew(await this.#readUnknown(pids, runs, members), runs, members)
    this.#members = members
    return [...members.values()]
  }

  /** Strangers may be of a run that was not known when they were looked at. */
  #meet(runs: readonly WatchedRun[]): void {
    const adopted = new Set(runs.filter(({ isAdopted }) => isAdopted).map(({ id }) => id))
    if ([...adopted].some((id) => !this.#adopted.has(id))) this.#strangers.clear()
    this.#adopted = adopted
  }

  #listPids(): Set<number> {
    const pids = readdirSync(this.#proc).map(Number)
    return new Set(pids.filter((pid) => pid > 1 && pid !== process.pid))
  }

  /** Parents first: what a child that ends in between leaves to its parent then comes a look late, never twice. */
  async #readKnown(pids: ReadonlySet<number>, runIds: ReadonlySet<string>): Promise<RunMember[]> {
    const alive = [...this.#members.values()].filter(({ runId, stat }) => runIds.has(runId) && pids.has(stat.pid))
    const byRun = Map.groupBy(alive.sort(byStart), ({ runId }) => runId)
    const known: RunMember[][] = []
    for (const members of byRun.values()) {
      known.push(this.#readInTurn(members))
      if (this.#isTurnOver(Math.min(members.length, MAX_SAMPLED_PROCESSES))) await setImmediate()
    }
    return known.flat()
  }

  /** Reads block, each for a moment: after so many the rest of the host has its turn. */
  #isTurnOver(reads: number): boolean {
    this.#readsInTurn += reads
    if (this.#readsInTurn < READS_PER_TURN) return false
    this.#readsInTurn = 0
    return true
  }

  /** Of a run of too many each look reads others, so that those that have ended are found out; the rest stay as they were. */
  #readInTurn(members: readonly RunMember[]): RunMember[] {
    const from = (this.#looks * MAX_SAMPLED_PROCESSES) % members.length
    return members.flatMap((member, at) => {
      const isItsTurn = (at - from + members.length) % members.length < MAX_SAMPLED_PROCESSES
      return isItsTurn ? this.#readMember(member) : [member]
    })
  }

  #readMember(member: RunMember): RunMember[] {
    const { pid, startTicks } = member.stat
    const stat = readProcessStat(this.#proc, pid)
    if (stat === null || stat.startTicks !== startTicks) return []
    return [{ ...member, stat, io: readProcessIo(this.#proc, pid, member.io) }]
  }

  /** Processes nobody has judged yet, oldest first. */
  async #readUnknown(
    pids: ReadonlySet<number>,
    runs: readonly WatchedRun[],
    members: ReadonlyMap<number, RunMember>,
  ): Promise<ProcessStat[]> {
    const leaders = new Set(runs.map(({ query }) => query.groupId))
    const strangers = new Map<number, string>()
    const unknown: ProcessStat[] = []
    for (const pid of pids) {
      if (members.has(pid)) continue
      const startTicks = this.#strangers.get(pid)
      if (startTicks !== undefined && !leaders.has(pid) && pid % LOOKS_PER_ROUND !== this.#looks % LOOKS_PER_ROUND) {
        strangers.set(pid, startTicks)
        continue
      }
      const stat = readProcessStat(this.#proc, pid)
      if (this.#isTurnOver(1)) await setImmediate()
      if (stat === null) continue
      if (stat.startTicks === startTicks && !leaders.has(pid)) strangers.set(pid, startTicks)
      else unknown.push(stat)
    }
    this.#strangers = strangers
    return unknown.sort((a, b) => byStart({ stat: a }, { stat: b }))
  }

  async #addNew(
    unknown: readonly ProcessStat[],
    runs: readonly WatchedRun[],
    members: Map<number, RunMember>,
  ): Promise<void> {
    const byGroup = new Map(runs.filter(({ query }) => query.trustGroup).map(({ id, query }) => [query.groupId, id]))
    const byName = new Map(runs.map(({ id, query }) => [query.runName, id]))
    const counts = new Map<string, number>()
    for (const { runId } of members.values()) counts.set(runId, (counts.get(runId) ?? 0) + 1)
    let environments = 0
    for (const stat of unknown) {
      const kin = byGroup.get(stat.groupId) ?? byGroup.get(stat.sessionId) ?? members.get(stat.parentPid)?.runId
      if (kin === undefined && environments >= MAX_ENVIRONMENTS) continue
      if (kin === undefined) environments += 1
      const names = kin === undefined ? await this.#readRunNames(stat.pid) : []
      // One that hangs has cost the time there is.
      if (names === 'hangs') environments = MAX_ENVIRONMENTS
      const runId = kin ?? (names === 'hangs' ? undefined : names.map((name) => byName.get(name)).find(isDefined))
      if (runId === undefined) {
        this.#strangers.set(stat.pid, stat.startTicks)
        continue
      }
      const count = (counts.get(runId) ?? 0) + 1
      counts.set(runId, count)
      const io = count > MAX_SAMPLED_PROCESSES ? null : readProcessIo(this.#proc, stat.pid, NOTHING)
      members.set(stat.pid, { runId, stat, io })
    }
  }

  async #readRunNames(pid: number): Promise<readonly string[] | 'hangs'> {
    const { promise: tooLate, resolve } = Promise.withResolvers<'hangs'>()
    const cancel = this.#world.setTimer(ENVIRONMENT_WAIT_MS, () => resolve('hangs'))
    // A buffer of its own: a read that hangs may still write to it much later.
    const reading = readRunNames(`${this.#proc}/${pid}`, Buffer.allocUnsafe(MAX_ENVIRONMENT_BYTES))
    const names = await Promise.race([reading.catch(() => null), tooLate])
    cancel()
    return names ?? []
  }
}

function isDefined(id: string | undefined): boolean {
  return id !== undefined
}

function byStart(a: Pick<RunMember, 'stat'>, b: Pick<RunMember, 'stat'>): number {
  return Number(a.stat.startTicks) - Number(b.stat.startTicks) || a.stat.pid - b.stat.pid
}
