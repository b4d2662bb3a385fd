import { formatSize } from '../config/size.ts'
import { SessiondError } from '../model/errors.ts'

/**
 * Reads a message's text from standard input, whole and unchanged. Throws TEXT_TOO_LARGE as soon as it is over
 * the limit, TEXT_NOT_UTF8 with the offset of the first bad byte.
 */
export async function readText(stdin: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stdin) {
    length += chunk.byteLength
    if (length > maxBytes) throw tooLarge(`more than ${formatSize(maxBytes)}`, maxBytes)
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  const offset = findInvalidUtf8(bytes)
  if (offset === undefined) return bytes.toString('utf8')
  throw new SessiondError('TEXT_NOT_UTF8', `The text is not valid UTF-8 at byte offset ${offset}.`, {
    fields: { field: 'text', offset },
  })
}

/** Checks a text before anything is sent; throws TEXT_EMPTY or TEXT_TOO_LARGE. */
export function checkText(text: string, maxBytes: number): string {
  if (text.trim() === '') throw new SessiondError('TEXT_EMPTY', 'The text is empty.', { fields: { field: 'text' } })
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes) throw tooLarge(`${bytes} bytes long`, maxBytes)
  return text
}

function tooLarge(howLong: string, maxBytes: number): SessiondError {
  return new SessiondError('TEXT_TOO_LARGE', `The text is ${howLong}; at most ${formatSize(maxBytes)} are taken.`, {
    fields: { field: 'text', maxBytes },
  })
}

/** Offset of the first byte that begins no valid UTF-8 sequence, undefined when all do. */
export function findInvalidUtf8(bytes: Uint8Array): number | undefined {
  let offset = 0
  while (offset < bytes.length) {
    const length = sequenceLength(bytes, offset)
    if (length === 0) return offset
    offset += length
  }
  return undefined
}

/** Length of the sequence at `offset`; 0 when it is none: cut off, overlong, a surrogate, or past U+10FFFF. */
function sequenceLength(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset] ?? 0
  if (first < 0x80) return 1
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4 || offset + length > bytes.length) return 0
  const [low, high] = SECOND_BYTE[first] ?? [0x80, 0xbf]
  const second = bytes[offset + 1] ?? 0
  if (second < low || second > high) return 0
  for (let index = 2; index < length; index++) {
    if (((bytes[offset + index] ?? 0) & 0xc0) !== 0x80) return 0
  }
  return length
}

const SECOND_BYTE: Readonly<Record<number, readonly [number, number]>> = {
  224: [0xa0, 0xbf],
  237: [0x80, 0x9f],
  240: [0x90, 0xbf],
  244: [0x80, 0x8f],
}
