import { expect, test } from 'vitest'
import { parseProcessIo } from './process-io.ts'

const TEXT = `rchar: 59031122
wchar: 58990257
syscr: 572
syscw: 535
read_bytes: 28200960
write_bytes: 32792576
cancelled_write_bytes: 1000
`

test('tells what calls moved, and what went from and to storage', () => {
  expect(parseProcessIo(TEXT)).toEqual({ callBytes: 59_031_122 + 58_990_257, storageBytes: 28_200_960 + 32_792_576 })
})

test.each([
  ['an empty text', ''],
  ['a text that is cut', TEXT.slice(0, 60)],
  ['a figure below nothing', TEXT.replace('write_bytes: 3', 'write_bytes: -3')],
  ['a word for a figure', TEXT.replace('59031122', 'much')],
  ['figures of another name', TEXT.replace('rchar', 'xrchar')],
  ['noise', '\u0000rchar: 1 wchar: 2'],
])('refuses %s', (_, text) => {
  expect(() => parseProcessIo(text)).toThrow('unreadable')
})
