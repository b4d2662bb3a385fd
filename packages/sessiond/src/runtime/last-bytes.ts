/** The last `maxBytes` of a text, never beginning inside a character. */
export function lastBytes(text: Buffer, maxBytes: number): string {
  let from = Math.max(text.length - Math.max(maxBytes, 0), 0)
  while (from < text.length && from > 0 && ((text[from] ?? 0) & 0xc0) === 0x80) from += 1
  return text.toString('utf8', from)
}
