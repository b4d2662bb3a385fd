import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { lastBytes } from '../last-bytes.ts'

/** Opens a run's log for appending only: cutting it is then safe while the run writes. */
export function openLog(path: string): Promise<FileHandle> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants
  return open(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600)
}

/**
 * Cuts a log longer than `maxBytes` to its last half, in place: the run holds the file open. What the run writes
 * while we cut may be lost or stand before the kept half; the bound matters more. Returns whether it had to cut.
 */
export async function trimLog(path: string, maxBytes: number): Promise<boolean> {
  if ((await sizeOf(path)) <= maxBytes) return false
  await using file = await openOrNull(path, constants.O_RDWR | constants.O_APPEND)
  if (file === null) return false
  const tail = await readTail(file, Math.floor(maxBytes / 2))
  await file.truncate(0)
  await file.write(Buffer.concat([Buffer.from('[earlier output was cut]\n'), tail]))
  return true
}

/** The last `maxBytes` of a log; "" when there is none. */
export async function readLogTail(path: string, maxBytes: number): Promise<string> {
  await using file = await openOrNull(path, constants.O_RDONLY)
  // One byte more shows whether the first character is whole.
  return file === null ? '' : lastBytes(await readTail(file, maxBytes + 1), maxBytes)
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

async function openOrNull(path: string, flags: number): Promise<FileHandle | null> {
  try {
    return await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function readTail(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const { size } = await file.stat()
  const length = Math.min(size, Math.max(maxBytes, 0))
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
  return buffer.subarray(0, bytesRead)
}
