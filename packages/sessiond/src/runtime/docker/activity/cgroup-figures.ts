/** Reads the text of v1's cpuacct.usage, in nanoseconds. Throws when it is none. Pure. */
export function parseCpuacctUsage(text: string): number {
  return wholeNumber(text) / 1e6
}

/** Reads v2's cpu.stat. Throws when it does not tell the time. Pure. */
export function parseCpuStat(text: string): number {
  const [, usec] = /^usage_usec (\d+)$/m.exec(text) ?? []
  if (usec === undefined) throw new Error('unreadable cpu.stat')
  return Number(usec) / 1000
}

/**
 * Reads the bytes of v1's blkio.throttle.io_service_bytes, all devices together; a device it names with another word
 * than Read and Write (Sync, Async, Discard, Total) tells the same once more. Pure.
 */
export function parseBlkioBytes(text: string): number {
  return sumOf(text, /^\d+:\d+ (?:Read|Write) (\d+)$/gm, /^Total \d+$/m)
}

/**
 * Reads the bytes of v2's io.stat, all devices together; empty: nothing was moved yet. Some kernels end no line after a
 * device that has nothing to tell. Pure.
 */
export function parseIoStat(text: string): number {
  return text.trim() === '' ? 0 : sumOf(text, /\b[rw]bytes=(\d+)/g, /^\d+:\d+ /)
}

/** Reads pids.current. Throws when it is no number. Pure. */
export function parsePidsCurrent(text: string): number {
  return wholeNumber(text)
}

/**
 * Reads the bytes of /proc/<pid>/net/dev, received and sent, of every interface but the loopback. Throws when it is no
 * such table. Pure.
 */
export function parseNetDev(text: string): number {
  const [, title, ...lines] = text.split('\n')
  if (title?.replaceAll(' ', '').startsWith('face|bytespackets') !== true) throw new Error('unreadable net/dev')
  return lines.filter((line) => line.trim() !== '').reduce((sum, line) => sum + interfaceBytes(line), 0)
}

function interfaceBytes(line: string): number {
  // Names may hold a colon (old aliases); no figure does.
  const nameEnd = line.lastIndexOf(':')
  const figures = line
    .slice(nameEnd + 1)
    .trim()
    .split(/\s+/)
    .map(Number)
  const [received, sent] = [figures[0], figures[8]]
  if (nameEnd < 0 || received === undefined || sent === undefined || Number.isNaN(received + sent)) {
    throw new Error('unreadable net/dev line')
  }
  return line.slice(0, nameEnd).trim() === 'lo' ? 0 : received + sent
}

function sumOf(text: string, figures: RegExp, shape: RegExp): number {
  if (!shape.test(text)) throw new Error('unreadable I/O figures of a cgroup')
  return [...text.matchAll(figures)].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

function wholeNumber(text: string): number {
  if (!/^\d+\n?$/.test(text)) throw new Error('unreadable figure of a cgroup')
  return Number(text)
}
