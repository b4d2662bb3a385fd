import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Where SQLite counts the commits of a file with a rollback journal. */
const CHANGE_COUNTER_OFFSET = 24
const CHANGE_COUNTER_BYTES = 4

/**
 * Tells one state of a database file from the next without a query: inode, size, modification time and SQLite's own
 * count of commits, because two commits within one tick of the file system's clock leave the same time. Undefined
 * while the file cannot be read. Must be taken before the look it stands for: a commit in between then shows as a
 * change, never as one already seen.
 */
export function inboundSignature(path: string): string | undefined {
  let file: number | undefined
  try {
    // O_NONBLOCK: whatever lies there, opening it must not wait.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const { ino, size, mtimeNs } = fstatSync(file, { bigint: true })
    const counter = Buffer.alloc(CHANGE_COUNTER_BYTES)
    readSync(file, counter, 0, CHANGE_COUNTER_BYTES, CHANGE_COUNTER_OFFSET)
    return `${ino}:${size}:${mtimeNs}:${counter.readUInt32BE()}`
  } catch {
    // Missing or unreadable: the look that follows finds out why and is repeated.
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
