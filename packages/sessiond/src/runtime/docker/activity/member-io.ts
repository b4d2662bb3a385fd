import type { ProcessIo } from '../../linux/process-io.ts'
import { readProcessIo, readProcessStat } from '../../linux/read-process.ts'
import { readSmallFile } from '../../linux/read-small-file.ts'
import { treeParts } from '../../linux/tree-parts.ts'
import { TreeTotal } from '../../linux/tree-total.ts'

/** What the processes of a cgroup have moved, one by one: for where the cgroup itself does not tell. */
export class MemberIo {
  readonly #figure: keyof ProcessIo
  readonly #total = new TreeTotal()
  readonly #proc: string

  constructor(figure: keyof ProcessIo, proc: string) {
    this.#figure = figure
    this.#proc = proc
  }

  /** Bytes so far; null: not all of them are ours to read. */
  next(cgroup: string): number | null {
    const members = this.#readMembers(readSmallFile(`${cgroup}/cgroup.procs`) ?? '')
    if (members === null || members.length === 0) return null
    return this.#total.next(
      treeParts(members, ({ io }) => {
        return { total: io[this.#figure], inherited: io[this.#figure] }
      }),
    )
  }

  #readMembers(pids: string) {
    // Parents mostly have the lower pids; they are to be read first.
    const inOrder = pids
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0)
      .sort((a, b) => a - b)
    const members = []
    for (const pid of inOrder) {
      const stat = readProcessStat(this.#proc, pid)
      if (stat === null) continue
      const io = readProcessIo(this.#proc, pid, undefined)
      if (io === null) return null
      if (io !== undefined) members.push({ stat, io })
    }
    return members
  }
}
