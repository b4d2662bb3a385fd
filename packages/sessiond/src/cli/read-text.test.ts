import { isUtf8 } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { findInvalidUtf8 } from './read-text.ts'

describe('findInvalidUtf8', () => {
  it.each([
    ['nothing', ''],
    ['ASCII', 'hello'],
    ['two, three and four bytes', 'ü漢🎉'],
    ['the first and last of each length', '\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}'],
  ])('accepts %s', (_, text) => {
    expect(findInvalidUtf8(Buffer.from(text))).toBeUndefined()
  })

  it.each([
    ['a lone continuation byte', [0x61, 0x80], 1],
    ['Latin-1', [0x61, 0x62, 0xfc, 0x63], 2],
    ['a sequence cut off at the end', [0xe6, 0xbc], 0],
    ['an overlong slash', [0x2f, 0xc0, 0xaf], 1],
    ['an overlong three-byte form', [0xe0, 0x9f, 0xbf], 0],
    ['a surrogate', [0xed, 0xa0, 0x80], 0],
    ['more than U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
    ['a third byte that is none', [0xe6, 0xbc, 0x41], 0],
    ['0xff', [0xff], 0],
  ])('finds %s', (_, bytes, offset) => {
    expect(findInvalidUtf8(Uint8Array.from(bytes))).toBe(offset)
  })

  it('agrees with Node on every pair of bytes', () => {
    for (let pair = 0; pair < 65_536; pair++) {
      const bytes = Uint8Array.of(pair >> 8, pair & 0xff)
      if ((findInvalidUtf8(bytes) === undefined) !== isUtf8(bytes)) expect.fail(`bytes ${pair.toString(16)}`)
    }
  })
})
