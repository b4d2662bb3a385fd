import { readSmallFile } from '../../linux/read-small-file.ts'
import type { ActivityTotals } from '../../runtime.ts'
import {
  parseBlkioBytes,
  parseCpuacctUsage,
  parseCpuStat,
  parseIoStat,
  parseNetDev,
  parsePidsCurrent,
} from './cgroup-figures.ts'
import type { CgroupFolders } from './find-cgroups.ts'
import { MemberIo } from './member-io.ts'
import { containerCgroup, parseProcCgroup } from './proc-cgroup.ts'
import { RisingTotal } from './rising-total.ts'

export interface MeteredContainer {
  readonly id: string
  /** Of its first process, as this host counts. */
  readonly pid: number
  readonly folders: CgroupFolders
  /** False: it shares another network namespace, whose traffic says nothing of it. */
  readonly hasOwnNetwork: boolean
}

/** Reads what one container has used, from files of this host alone. */
export class ContainerMeter {
  readonly #container: MeteredContainer
  readonly #proc: string
  readonly #storage: MemberIo
  readonly #calls: MemberIo
  /** The two sources count differently: whoever told once is the one that tells. */
  #isToldByMembers = false
  readonly #cpuMs = new RisingTotal()
  readonly #ioBytes = new RisingTotal()

  constructor(container: MeteredContainer, proc = '/proc') {
    this.#container = container
    this.#proc = proc
    this.#storage = new MemberIo('storageBytes', proc)
    this.#calls = new MemberIo('callBytes', proc)
  }

  /** Null: a figure is not to be had. Throws when the container is gone or a file is not what it should be. */
  read(): ActivityTotals | null {
    const cpuMs = this.#readCpuMs()
    const processes = this.#countProcesses()
    const ioBytes = this.#readIoBytes()
    // Last: a pid that still leads to the container now did so all along.
    if (ioBytes === null || !this.isThere()) return null
    return { cpuMs: this.#cpuMs.next(cpuMs), ioBytes: this.#ioBytes.next(ioBytes), processes }
  }

  /** Whether the pid is still the container's: another process may have got it. */
  isThere(): boolean {
    const { id, pid } = this.#container
    const text = readSmallFile(`${this.#proc}/${pid}/cgroup`)
    return text !== null && parseProcCgroup(text).some(({ path }) => containerCgroup(path, id) !== null)
  }

  #readCpuMs(): number {
    const { version, path } = this.#container.folders.cpu
    return version === 1
      ? parseCpuacctUsage(this.#read(path, 'cpuacct.usage'))
      : parseCpuStat(this.#read(path, 'cpu.stat'))
  }

  /** Without the controller the cgroup still lists its processes. */
  #countProcesses(): number {
    const { path } = this.#container.folders.processes
    const current = readSmallFile(`${path}/pids.current`)
    return current === null ? this.#read(path, 'cgroup.procs').trim().split('\n').length : parsePidsCurrent(current)
  }

  #readIoBytes(): number | null {
    const { hasOwnNetwork, folders, pid } = this.#container
    // The calls of its processes are all that tells its own traffic from everyone's.
    if (!hasOwnNetwork) return this.#calls.next(folders.processes.path)
    const storageBytes = this.#readStorageBytes()
    if (storageBytes === null) return null
    return storageBytes + parseNetDev(this.#read(`${this.#proc}/${pid}/net`, 'dev'))
  }

  /**
   * Version 1 counts neither what is written later by the kernel nor, since Linux 6.10, anything of a device without a
   * configured limit: there, and where the controller is off, its processes tell more.
   */
  #readStorageBytes(): number | null {
    const { io, processes } = this.#container.folders
    const told = io.version === 2 ? readSmallFile(`${io.path}/io.stat`) : null
    if (told !== null) return parseIoStat(told)
    const byMembers = this.#storage.next(processes.path)
    this.#isToldByMembers ||= byMembers !== null
    return this.#isToldByMembers ? byMembers : this.#readBlkioBytes()
  }

  /** Null: no device is named, which is how it looks when nothing is counted. */
  #readBlkioBytes(): number | null {
    const { version, path } = this.#container.folders.io
    if (version !== 1) return null
    const file = `${path}/blkio.throttle.io_service_bytes`
    const text = readSmallFile(`${file}_recursive`) ?? readSmallFile(file)
    return text === null || !text.includes(':') ? null : parseBlkioBytes(text)
  }

  #read(folder: string, name: string): string {
    const text = readSmallFile(`${folder}/${name}`)
    if (text === null) throw new Error(`${folder} has no ${name}`)
    return text
  }
}
