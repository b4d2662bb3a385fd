import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { SessiondError } from '../model/errors.ts'

/** Name of the file in the data directory that holds the API's bearer token. */
export const TOKEN_FILE = 'api-token'

const TOKEN = /^[A-Za-z0-9_-]{32,256}$/
const MAX_BYTES = 1024

/** The token of a data directory, made if there is none: 32 random bytes, readable for the owner alone. */
export async function ensureToken(dataDir: string): Promise<string> {
  const path = join(dataDir, TOKEN_FILE)
  const created = await openForCreate(path)
  if (created === undefined) return (await readIfWritten(path)) ?? refill(path)
  await using file = created
  return await write(file)
}

/** The token of a data directory, for clients. HOST_NOT_RUNNING when no host has made one yet. */
export async function readToken(dataDir: string): Promise<string> {
  const path = join(dataDir, TOKEN_FILE)
  const token = await readIfWritten(path)
  if (token !== undefined) return token
  throw new SessiondError('HOST_NOT_RUNNING', `No host has run here: ${path} is not there, or empty.`, {
    fields: { path },
  })
}

async function openForCreate(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return undefined
    throw unusable(path, `cannot be made (${codeOf(cause)})`, cause)
  }
}

/** A host that died between making the file and filling it left it empty: nobody can hold its token. */
async function refill(path: string): Promise<string> {
  await using file = await openChecked(path, constants.O_RDWR)
  if (file === undefined) throw unusable(path, 'vanished while it was read')
  return await write(file)
}

async function write(file: FileHandle): Promise<string> {
  // Not the world's randomness: a token must not be predictable, even in a simulation.
  const token = randomBytes(32).toString('base64url')
  await file.write(`${token}\n`, 0)
  await file.sync()
  return token
}

/** Undefined when there is no file, or an empty one. */
async function readIfWritten(path: string): Promise<string | undefined> {
  await using file = await openChecked(path, constants.O_RDONLY)
  if (file === undefined) return undefined
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0)
  if (bytesRead === 0) return undefined
  const token = buffer.toString('latin1', 0, bytesRead).trim()
  if (!TOKEN.test(token)) throw unusable(path, 'does not hold a token')
  return token
}

/** Opens the file only if it is one, ours, and closed to everybody else; never follows a link or waits for a pipe. */
async function openChecked(path: string, access: number): Promise<FileHandle | undefined> {
  let file: FileHandle
  try {
    file = await open(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw unusable(path, `cannot be read (${codeOf(cause)})`, cause)
  }
  try {
    const { mode, uid, isFile } = await statOf(file)
    if (!isFile) throw unusable(path, 'is not a plain file')
    if ((mode & 0o077) !== 0) throw unusable(path, `is open to other users (mode ${(mode & 0o777).toString(8)})`)
    const self = process.geteuid?.()
    if (self !== undefined && self !== 0 && uid !== self) throw unusable(path, `belongs to user ${uid}`)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

async function statOf(file: FileHandle): Promise<{ mode: number; uid: number; isFile: boolean }> {
  const stats = await file.stat()
  return { mode: stats.mode, uid: stats.uid, isFile: stats.isFile() }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown'
}

function unusable(path: string, why: string, cause?: unknown): SessiondError {
  return new SessiondError('DATA_DIR_UNUSABLE', `The token file ${path} ${why}.`, {
    cure: 'Make it a plain file of mode 600 owned by the user who runs sessiond, or delete it to get a new token.',
    fields: { path },
    ...(cause === undefined ? {} : { cause }),
  })
}
