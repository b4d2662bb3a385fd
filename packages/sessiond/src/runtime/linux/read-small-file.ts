import { closeSync, openSync, readSync } from 'node:fs'

/** Longer than any of the kernel's files read here; what a run could blow up is not read beyond it. */
const MAX_BYTES = 64 * 1024

/** One for all: reads are synchronous, so no two of them overlap. */
const buffer = Buffer.alloc(MAX_BYTES)

/** What the kernel says of a process or cgroup that has ended, before or while its file was open. */
const GONE = ['ENOENT', 'ESRCH', 'ENODEV']

/**
 * Text of one of the kernel's own small files (/proc, cgroups), which cost no waiting; null: what it tells of is gone.
 * Throws when it cannot be read, or not whole.
 */
export function readSmallFile(path: string): string | null {
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    return readAll(fd, path)
  } catch (error) {
    if (isGone(error)) return null
    throw error
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** Whether an error says that the process or cgroup a file tells of has ended. */
export function isGone(error: unknown): boolean {
  return GONE.includes((error as NodeJS.ErrnoException).code ?? '')
}

function readAll(fd: number, path: string): string {
  let length = 0
  // The kernel hands out some of these record by record.
  while (length < MAX_BYTES) {
    const bytesRead = readSync(fd, buffer, length, MAX_BYTES - length, null)
    if (bytesRead === 0) return buffer.toString('latin1', 0, length)
    length += bytesRead
  }
  throw new Error(`${path} is longer than ${MAX_BYTES} bytes`)
}
