const HEADER_BYTES = 8
const MAX_STREAM = 2

/**
 * Takes an engine's log apart: frames of a stream's number, three zeros and a length, then that many bytes. Both
 * streams come out in the order they were written. What is not framed so is returned as it is.
 */
export function demuxLog(framed: Buffer): Buffer {
  const parts: Buffer[] = []
  let at = 0
  while (at + HEADER_BYTES <= framed.length) {
    if (!isHeader(framed, at)) return at === 0 ? framed : Buffer.concat(parts)
    const length = framed.readUInt32BE(at + 4)
    parts.push(framed.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length))
    at += HEADER_BYTES + length
  }
  return Buffer.concat(parts)
}

function isHeader(framed: Buffer, at: number): boolean {
  const [stream = 255, ...zeros] = framed.subarray(at, at + 4)
  return stream <= MAX_STREAM && zeros.every((byte) => byte === 0)
}
