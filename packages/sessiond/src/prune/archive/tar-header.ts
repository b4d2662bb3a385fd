/** One entry of an archive. Names and targets are bytes, as the file system has them: not every name has a text. */
export interface TarEntry {
  /** A folder's ends in a slash. */
  readonly name: Buffer
  readonly type: keyof typeof TYPES
  readonly mode: bigint
  readonly uid: bigint
  readonly gid: bigint
  /** Of what follows the header; 0 unless it is a file. */
  readonly size: bigint
  /** Seconds; before 1970 is negative. */
  readonly mtimeS: bigint
  /** What a symlink says, or the name of the same file that is in the archive already. */
  readonly target?: Buffer
}

const TYPES = { file: '0', link: '1', symlink: '2', directory: '5' } as const
const LONG_NAME = 'L'
const LONG_TARGET = 'K'

const BLOCK = 512
const NAME_BYTES = 100
const SUM = { at: 148, bytes: 8 }

/** Ends an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK)

/**
 * The header of an entry in GNU's format, which the tars of GNU, BSD, busybox and Python read alike: nothing in it is cut
 * off or clamped, however long the name, large the file, high the owner or odd the time.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const { name, target, type } = entry
  const long = (text: Buffer | undefined, kind: string) =>
    text === undefined || text.length <= NAME_BYTES ? [] : longText(text, kind)
  return Buffer.concat([...long(target, LONG_TARGET), ...long(name, LONG_NAME), block({ ...entry, type: TYPES[type] })])
}

/** Fills the last block of so many bytes. */
export function tarPadding(size: bigint): Buffer {
  return Buffer.alloc((BLOCK - Number(size % BigInt(BLOCK))) % BLOCK)
}

/** An entry of its own, of which the next one has its name or target. */
function longText(text: Buffer, type: string): Buffer[] {
  const size = BigInt(text.length + 1)
  const none = { mode: 0n, uid: 0n, gid: 0n, mtimeS: 0n }
  const header = block({ ...none, name: Buffer.from('././@LongLink'), type, size })
  return [header, text, Buffer.alloc(1), tarPadding(size)]
}

function block(entry: Omit<TarEntry, 'type'> & { readonly type: string }): Buffer {
  const header = Buffer.alloc(BLOCK)
  entry.name.copy(header, 0, 0, NAME_BYTES)
  putNumber(header, 100, 8, entry.mode)
  putNumber(header, 108, 8, entry.uid)
  putNumber(header, 116, 8, entry.gid)
  putNumber(header, 124, 12, entry.size)
  putNumber(header, 136, 12, entry.mtimeS)
  header.write(entry.type, 156, 'latin1')
  entry.target?.copy(header, 157, 0, NAME_BYTES)
  header.write('ustar  ', 257, 'latin1')
  // The sum is made as if it were spaces itself.
  header.fill(' ', SUM.at, SUM.at + SUM.bytes)
  const sum = header.reduce((total, byte) => total + byte, 0)
  putNumber(header, SUM.at, SUM.bytes - 1, BigInt(sum))
  return header
}

/** Octal digits and a NUL where they are enough; else all of it in binary, marked by the first bit. */
function putNumber(header: Buffer, at: number, bytes: number, value: bigint): void {
  const digits = value.toString(8)
  if (value >= 0n && digits.length < bytes) {
    header.write(`${digits.padStart(bytes - 1, '0')}\0`, at, 'latin1')
    return
  }
  let rest = value
  for (let index = at + bytes - 1; index >= at; index -= 1) {
    header[index] = Number(BigInt.asUintN(8, rest))
    rest >>= 8n
  }
  header.writeUInt8(header.readUInt8(at) | 0x80, at)
}
