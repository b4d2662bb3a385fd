import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundedOutput } from './bounded-output.ts'

function collect(maxBytes: number, ...chunks: readonly Uint8Array[]): BoundedOutput {
  const output = new BoundedOutput(maxBytes)
  for (const chunk of chunks) output.add(Buffer.from(chunk))
  return output
}

describe('BoundedOutput', () => {
  it.each([
    ['below', 'abc', 'abc', false],
    ['at', 'abcd', 'abcd', false],
    ['above', 'abcde', 'abcd', true],
  ])('keeps text %s its bound', (_, text, kept, isCut) => {
    const output = collect(4, Buffer.from(text))
    expect([output.text(), output.isCut]).toEqual([kept, isCut])
  })

  it('leaves out a character that the bound cuts in half', () => {
    expect(collect(4, Buffer.from('abé€')).text()).toBe('abé')
    expect(collect(5, Buffer.from('abé€')).text()).toBe('abé')
  })

  it('replaces invalid bytes, and half a character that the writer itself left', () => {
    expect(collect(10, Buffer.from([0x61, 0xff, 0x62])).text()).toBe('a\ufffdb')
    expect(collect(10, Buffer.from([0x61, 0xe2, 0x82])).text()).toBe('a\ufffd')
  })

  it('keeps the same text however it arrives', () => {
    const cases = fc.tuple(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 7 }))
    fc.assert(
      fc.property(cases, ([text, size]) => {
        const bytes = Buffer.from(text)
        const count = Math.ceil(bytes.length / size)
        const chunks = Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
        expect(collect(1_000_000, ...chunks).text()).toBe(bytes.toString())
      }),
    )
  })
})
