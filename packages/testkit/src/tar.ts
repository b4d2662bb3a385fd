import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'

/** What a root file system is made of; paths are relative, folders before what is in them. */
export type TarEntry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'text'; readonly path: string; readonly text: string }
  | { readonly kind: 'file'; readonly path: string; readonly source: string }

const BLOCK = 512

/** Packs entries as a POSIX tar archive owned by root; files are streamed from where they lie. */
export function packTar(entries: readonly TarEntry[]): Readable {
  return Readable.from(blocks(entries), { objectMode: false })
}

async function* blocks(entries: readonly TarEntry[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    const size = await sizeOf(entry)
    yield header(entry, size)
    if (entry.kind === 'text') yield Buffer.from(entry.text)
    if (entry.kind === 'file') yield* createReadStream(entry.source) as AsyncIterable<Buffer>
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
  }
  yield Buffer.alloc(2 * BLOCK)
}

async function sizeOf(entry: TarEntry): Promise<number> {
  if (entry.kind === 'text') return Buffer.byteLength(entry.text)
  return entry.kind === 'file' ? (await stat(entry.source)).size : 0
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  if (Buffer.byteLength(entry.path) > 100) throw new Error(`path too long for this archive: ${entry.path}`)
  const types = { folder: '5', link: '2', text: '0', file: '0' } as const
  block.write(entry.path, 0)
  block.write(octal(modeOf(entry), 7), 100)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  block.write(octal(size, 11), 124)
  block.write(octal(0, 11), 136)
  block.write(types[entry.kind], 156)
  if (entry.kind === 'link') block.write(entry.to, 157)
  block.write('ustar\0', 257)
  block.write('00', 263)
  // The checksum is taken with spaces in its own place.
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148)
  return block
}

function modeOf(entry: TarEntry): number {
  if (entry.kind === 'folder') return entry.mode ?? 0o755
  return entry.kind === 'text' ? 0o644 : 0o755
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}
