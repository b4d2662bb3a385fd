/** What a process, its threads and the children it has waited for have moved. */
export interface ProcessIo {
  /** By read and write calls, through files, pipes and sockets alike; `recv` and `send` are not among them. */
  readonly callBytes: number
  /** From and to storage; what was written counts when it is, not when it gets there. */
  readonly storageBytes: number
}

/** Reads /proc/<pid>/io. Throws when it does not tell all of it. Pure. */
export function parseProcessIo(text: string): ProcessIo {
  const figureOf = (name: string) => {
    const [, figure] = new RegExp(`^${name}: (\\d+)$`, 'm').exec(text) ?? []
    if (figure === undefined) throw new Error('unreadable /proc io text')
    return Number(figure)
  }
  return {
    callBytes: figureOf('rchar') + figureOf('wchar'),
    storageBytes: figureOf('read_bytes') + figureOf('write_bytes'),
  }
}
