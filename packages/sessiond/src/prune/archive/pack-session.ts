import { once } from 'node:events'
import {
  closeSync,
  constants,
  createWriteStream,
  fstatSync,
  fsyncSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { type Header, type Pack, pack } from 'tar-stream'
import type { Place } from '../files/place.ts'
import type { ArchiveAnswer, ArchiveLimits } from './archive-messages.ts'
import { unfinishedPath } from './archive-paths.ts'
import { TreePrint } from './tree-print.ts'
import { type TreeEntry, TreeRefused, walkSession } from './walk-session.ts'

const PIECE_BYTES = 256 * 1024
const TOLD_PATHS = 20
const MAX_WAITING_BYTES = 1024 * 1024
const NS_PER_MS = 1_000_000n

export interface PackOptions {
  /** Stands in the session's directory. */
  readonly place: Place
  /** Name of the one folder that is in the archive. */
  readonly name: string
  /** Absolute; in a folder of the host's alone. */
  readonly archive: string
  readonly limits: ArchiveLimits
  /** Told of every piece of a file and of every entry. */
  readonly onRead: (bytes: number | 'entry') => void
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
    const packed = await writeArchive(options, unfinished)
    const written = syncPath(unfinished)
    options.assertHostAlive()
    renameSync(unfinished, archive)
    // The child of a host that has died may still be at it: what is removed rests on the very archive that was written.
    if (syncPath(archive) !== written) throw new Error(`${archive} was replaced while it was written`)
    syncPath(dirname(archive))
    return packed
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
}

async function writeArchive(options: PackOptions, path: string): Promise<ArchiveAnswer & { readonly kind: 'packed' }> {
  const { place, name, limits, onRead } = options
  const tar = pack()
  // Before the walk begins: it is opened by its whole path, but what fails is better known at once.
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  const written = pipeline(tar, createGzip(), file)
  // Told by whoever waits for it below.
  written.catch(() => {})
  const print = new TreePrint()
  const packer = new EntryPacker(tar, name, onRead)
  let bytes = 0
  const entries = { count: 0 }
  const work = async () => {
    await packer.folder(name, { mode: 0o700, uid: 0, gid: 0, mtime: new Date(0) })
    await walkSession(place, limits, async (entry) => {
      onRead('entry')
      print.add(entry)
      entries.count += 1
      bytes += Number(entry.seen.blocks) * 512
      await packer.add(entry)
    })
    tar.finalize()
    await written
  }
  try {
    // What ends the writing must not leave the walk waiting for room for ever.
    await Promise.race([work(), written.then(() => new Promise(() => {}))])
  } catch (error) {
    tar.destroy()
    await written.catch(() => {})
    throw error
  }
  return { kind: 'packed', print: print.toString(), entries: entries.count, bytes, skipped: packer.skipped() }
}

/** Writes entries into an archive, one after another. */
class EntryPacker {
  readonly #tar: Pack
  readonly #name: string
  readonly #onRead: (bytes: number) => void
  /** Path of the first name of files that have several. */
  readonly #linked = new Map<string, string>()
  #skipped = 0
  readonly #skippedPaths: string[] = []

  constructor(tar: Pack, name: string, onRead: (bytes: number) => void) {
    this.#tar = tar
    this.#name = name
    this.#onRead = onRead
  }

  skipped(): { readonly count: number; readonly paths: readonly string[] } {
    return { count: this.#skipped, paths: this.#skippedPaths }
  }

  folder(name: string, owner: Pick<Header, 'mode' | 'uid' | 'gid' | 'mtime'>): Promise<void> {
    return this.#entry({ ...owner, name: `${name}/`, type: 'directory', size: 0 })
  }

  async add(entry: TreeEntry): Promise<void> {
    const { path, seen } = entry
    const name = `${this.#name}/${path}`
    const mtime = new Date(Number(seen.mtimeNs / NS_PER_MS))
    const owner = { mode: Number(seen.mode & 0o7777n), uid: Number(seen.uid), gid: Number(seen.gid), mtime }
    if (seen.isDirectory()) return this.folder(name, owner)
    if (seen.isSymbolicLink()) {
      return this.#entry({ ...owner, name, type: 'symlink', size: 0, linkname: targetOf(entry) })
    }
    if (!seen.isFile()) return this.#skip(path)
    const first = seen.nlink > 1n ? this.#linked.get(`${seen.dev}:${seen.ino}`) : undefined
    if (first !== undefined) return this.#entry({ ...owner, name, type: 'link', size: 0, linkname: first })
    if (seen.nlink > 1n) this.#linked.set(`${seen.dev}:${seen.ino}`, name)
    await this.#file({ ...owner, name, type: 'file', size: Number(seen.size) }, entry)
  }

  #skip(path: string): void {
    this.#skipped += 1
    if (this.#skippedPaths.length < TOLD_PATHS) this.#skippedPaths.push(path.slice(0, 200))
  }

  /** Writing does not ask for a pause between entries: without one a tree of small files would wait in memory as a whole. */
  async #entry(header: Header): Promise<void> {
    while (this.#tar.readableLength > MAX_WAITING_BYTES && !this.#tar.destroyed) await setImmediate()
    return new Promise((resolve, reject) => {
      this.#tar.entry(header, (error) => (error ? reject(error) : resolve()))
    })
  }

  async #file(header: Header, entry: TreeEntry): Promise<void> {
    const file = openEntry(entry)
    try {
      await new Promise<void>((resolve, reject) => {
        const sink = this.#tar.entry(header, (error) => (error ? reject(error) : resolve()))
        this.#copy(file, header.size, sink, entry.path).then(() => sink.end(), reject)
      })
    } finally {
      closeSync(file)
    }
  }

  /** Exactly as many bytes as were promised: what is longer or shorter by now was written to meanwhile. */
  async #copy(file: number, size: number, sink: Writable, path: string): Promise<void> {
    for (let at = 0; at < size; ) {
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, size - at))
      const read = readSync(file, piece, 0, piece.length, at)
      if (read === 0) throw new TreeRefused('changed', path)
      at += read
      this.#onRead(read)
      if (!sink.write(piece.subarray(0, read))) await once(sink, 'drain')
    }
  }
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

function targetOf({ name, path }: TreeEntry): string {
  try {
    return readlinkSync(name)
  } catch {
    throw new TreeRefused('changed', path)
  }
}

/** Says which file it was. */
function syncPath(path: string): bigint {
  const file = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(file)
    return fstatSync(file, { bigint: true }).ino
  } finally {
    closeSync(file)
  }
}
