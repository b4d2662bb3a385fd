import type { World } from '../../../world.ts'
import { readSmallFile } from '../../linux/read-small-file.ts'
import type { ActivityTotals } from '../../runtime.ts'
import type { Engine } from '../engine.ts'
import { type CgroupMount, parseCgroupMounts } from './cgroup-mounts.ts'
import { ContainerMeter } from './container-meter.ts'
import { findCgroups } from './find-cgroups.ts'
import { parseProcCgroup } from './proc-cgroup.ts'

/** How long a sample waits for an engine that is to say where new containers are; the answer serves the next one. */
const ENGINE_WAIT_MS = 1_000

/** Network modes in which a container has no namespace to itself; `ns:` is Podman's. */
const SHARED_NETWORK = /^(?:host$|container:|ns:)/

export interface ContainerActivityOptions {
  readonly world: World
  readonly engine: Pick<Engine, 'askExpecting'>
  /** @default '/proc' */
  readonly proc?: string
}

/** Samples containers of an engine on this very machine: the engine tells once where each is, files tell the rest. */
export class ContainerActivity {
  readonly #options: ContainerActivityOptions
  readonly #proc: string
  /** Null: it runs where this host cannot see it, and will not come nearer. */
  readonly #meters = new Map<string, ContainerMeter | null>()
  readonly #finding = new Map<string, Promise<void>>()
  #mounts: readonly CgroupMount[] | null = null

  constructor(options: ContainerActivityOptions) {
    this.#options = options
    this.#proc = options.proc ?? '/proc'
  }

  async sample(ids: readonly string[]): Promise<ReadonlyMap<string, ActivityTotals>> {
    const unknown = ids.filter((id) => !this.#meters.has(id))
    if (unknown.length > 0) await this.#findAll(unknown)
    const found = new Map<string, ActivityTotals>()
    for (const id of ids) {
      const totals = this.#read(id)
      if (totals !== null) found.set(id, totals)
    }
    return found
  }

  forget(id: string): void {
    this.#meters.delete(id)
  }

  #read(id: string): ActivityTotals | null {
    const meter = this.#meters.get(id)
    if (meter === undefined || meter === null) return null
    try {
      const totals = meter.read()
      if (totals !== null) return totals
    } catch {
      // It has ended, or a file is not to be read; half a figure would be taken for silence.
    }
    this.#forgetIfGone(id, meter)
    return null
  }

  #forgetIfGone(id: string, meter: ContainerMeter): void {
    try {
      if (!meter.isThere()) this.forget(id)
    } catch {
      // Nobody can say; it is asked again with the next sample.
    }
  }

  async #findAll(ids: readonly string[]): Promise<void> {
    const { promise: tooLate, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.world.setTimer(ENGINE_WAIT_MS, resolve)
    await Promise.race([Promise.all(ids.map((id) => this.#findOnce(id))), tooLate])
    cancel()
  }

  #findOnce(id: string): Promise<void> {
    const finding = this.#finding.get(id) ?? this.#find(id).finally(() => this.#finding.delete(id))
    this.#finding.set(id, finding)
    return finding
  }

  async #find(id: string): Promise<void> {
    try {
      const info = await this.#inspect(id)
      if (info === undefined || info.State.Pid === 0) return
      this.#meters.set(id, this.#meterOf(id, info.State.Pid, !SHARED_NETWORK.test(info.HostConfig.NetworkMode ?? '')))
    } catch {
      // What cannot be asked now is asked with the next sample.
    }
  }

  #inspect(id: string) {
    return this.#options.engine.askExpecting('find a run', [404], (docker, abortSignal) =>
      docker.getContainer(id).inspect({ abortSignal }),
    )
  }

  #meterOf(id: string, pid: number, hasOwnNetwork: boolean): ContainerMeter | null {
    try {
      this.#mounts ??= parseCgroupMounts(readSmallFile(`${this.#proc}/self/mountinfo`) ?? '')
      const memberships = parseProcCgroup(readSmallFile(`${this.#proc}/${pid}/cgroup`) ?? '')
      const folders = findCgroups(id, memberships, this.#mounts)
      return folders === null ? null : new ContainerMeter({ id, pid, folders, hasOwnNetwork }, this.#proc)
    } catch {
      return null
    }
  }
}
