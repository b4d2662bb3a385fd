import {
  type BigIntStats,
  closeSync,
  constants,
  createWriteStream,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Place } from '../files/place.ts'
import type { ArchiveAnswer, ArchiveLimits } from './archive-messages.ts'
import { unfinishedPath } from './archive-paths.ts'
import { TAR_END, type TarEntry, tarHeader, tarPadding } from './tar-header.ts'
import { TreePrint } from './tree-print.ts'
import { type TreeEntry, TreeRefused, walkSession } from './walk-session.ts'

const PIECE_BYTES = 256 * 1024
const TOLD_PATHS = 20
const NS_PER_S = 1_000_000_000n

/** Told of bytes read and of entries seen; resolves when the work may go on. */
export type Pace = (done: { readonly bytes?: number; readonly entries?: number }) => Promise<void>

export interface PackOptions {
  /** Stands in the session's directory. */
  readonly place: Place
  /** Name of the one folder that is in the archive. */
  readonly name: string
  /** Absolute; in a folder of the host's alone. */
  readonly archive: string
  readonly limits: ArchiveLimits
  readonly pace: Pace
  readonly assertHostAlive: () => void
}

/**
 * Packs a session's directory. The archive is at its place when, and only when, all of it is on the disk; a crash before
 * leaves a file that the next packing of the same session writes over. Throws TreeRefused, and what writing throws.
 */
export async function packSession(options: PackOptions): Promise<ArchiveAnswer & { readonly kind: 'packed' }> {
  const { archive } = options
  const unfinished = unfinishedPath(archive)
  rmSync(unfinished, { force: true })
  try {
    const packer = new Packer(options)
    await pipeline(packer.contents(), createGzip(), createWriteStream(unfinished, { flags: 'wx', mode: 0o600 }))
    const written = syncPath(unfinished)
    options.assertHostAlive()
    renameSync(unfinished, archive)
    // The child of a host that has died may still be at it: what is removed rests on the very archive that was written.
    if (syncPath(archive) !== written) throw new Error(`${archive} was replaced while it was written`)
    syncFoldersOf(archive)
    return packer.packed()
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
}

/** Reads a directory through, once, and notes what it was. */
class Packer {
  readonly #options: PackOptions
  readonly #print = new TreePrint()
  /** Names of files that have several, as they are in the archive first. */
  readonly #linked = new Map<string, Buffer>()
  readonly #skippedPaths: string[] = []
  #skipped = 0
  #entries = 0
  #bytes = 0

  constructor(options: PackOptions) {
    this.#options = options
  }

  packed(): ArchiveAnswer & { readonly kind: 'packed' } {
    const skipped = { count: this.#skipped, paths: this.#skippedPaths }
    return { kind: 'packed', print: this.#print.toString(), entries: this.#entries, bytes: this.#bytes, skipped }
  }

  /** The bytes of the archive. */
  async *contents(): AsyncGenerator<Buffer, void> {
    const { place, name, limits, pace } = this.#options
    yield tarHeader({ ...commonOf(lstatSync('.', { bigint: true })), name: Buffer.from(`${name}/`), type: 'directory' })
    for (const entry of walkSession(place, limits)) {
      this.#print.add(entry)
      this.#entries += 1
      this.#bytes += Number(entry.seen.blocks) * 512
      yield* this.#entry(entry)
      await pace({ entries: 1 })
    }
    yield TAR_END
  }

  async *#entry(entry: TreeEntry): AsyncGenerator<Buffer, void> {
    const { path, seen } = entry
    const name = Buffer.concat([Buffer.from(`${this.#options.name}/`), path])
    const common = { ...commonOf(seen), name }
    if (seen.isDirectory()) {
      yield tarHeader({ ...common, name: Buffer.concat([name, Buffer.from('/')]), type: 'directory' })
    } else if (seen.isSymbolicLink()) {
      yield tarHeader({ ...common, type: 'symlink', target: targetOf(entry) })
    } else if (seen.isFile()) {
      const first = seen.nlink > 1n ? this.#linked.get(`${seen.dev}:${seen.ino}`) : undefined
      if (seen.nlink > 1n && first === undefined) this.#linked.set(`${seen.dev}:${seen.ino}`, name)
      if (first !== undefined) yield tarHeader({ ...common, type: 'link', target: first })
      else yield* this.#file({ ...common, type: 'file', size: seen.size }, entry)
    } else this.#skip(path)
  }

  #skip(path: Buffer): void {
    this.#skipped += 1
    if (this.#skippedPaths.length < TOLD_PATHS) this.#skippedPaths.push(path.toString().slice(0, 200))
  }

  /** Exactly as many bytes as were promised: what is longer or shorter by now was written to meanwhile. */
  async *#file(header: TarEntry, entry: TreeEntry): AsyncGenerator<Buffer, void> {
    const size = Number(header.size)
    const file = openEntry(entry)
    try {
      yield tarHeader(header)
      for (let at = 0; at < size; ) {
        const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - at))
        const bytes = readSync(file, piece, 0, piece.length, at)
        if (bytes === 0) throw new TreeRefused('changed', entry.path)
        at += bytes
        yield piece.subarray(0, bytes)
        await this.#options.pace({ bytes })
      }
      yield tarPadding(header.size)
    } finally {
      closeSync(file)
    }
  }
}

function commonOf(seen: BigIntStats): Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'mtimeS' | 'size'> {
  const { mode, uid, gid, mtimeNs } = seen
  // Division cuts towards zero, which is upwards before 1970.
  const mtimeS = (mtimeNs - (((mtimeNs % NS_PER_S) + NS_PER_S) % NS_PER_S)) / NS_PER_S
  return { mode: mode & 0o7777n, uid, gid, mtimeS, size: 0n }
}

/** Never waits (a FIFO) and never follows a link: what took the file's place since it was looked at is refused. */
function openEntry({ name, path, seen }: TreeEntry): number {
  let file: number
  try {
    file = openSync(name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    throw new TreeRefused('unreadable', path)
  }
  const { dev, ino } = fstatSync(file, { bigint: true })
  if (dev === seen.dev && ino === seen.ino) return file
  closeSync(file)
  throw new TreeRefused('changed', path)
}

function targetOf({ name, path }: TreeEntry): Buffer {
  try {
    return readlinkSync(name, { encoding: 'buffer' })
  } catch {
    throw new TreeRefused('changed', path)
  }
}

/** Up to the data directory: each may be new, and what it is in must know of it before anything goes. */
function syncFoldersOf(archive: string): void {
  const group = dirname(archive)
  const archives = dirname(group)
  for (const folder of [group, archives, dirname(archives)]) syncPath(folder)
}

/** Says which file or folder it was. */
export function syncPath(path: string): bigint {
  const file = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(file)
    return fstatSync(file, { bigint: true }).ino
  } finally {
    closeSync(file)
  }
}
