import { expect, test } from 'vitest'
import { freeBytesOf, usedBytesOf } from './disk-figures.ts'

const MIB = 1024 ** 2
const COUNTS = { blocks: 51_200, bfree: 30_720, bavail: 25_600 }

test.each([
  ['a local disk', { bsize: 4_096, frsize: 4_096 }],
  ['a shared folder with large blocks for input and output', { bsize: MIB, frsize: 4_096 }],
  ['a Node that does not tell the fundamental block', { bsize: 4_096 }],
  ['a file system that has none', { bsize: 4_096, frsize: 0 }],
])('counts the room on %s in the blocks it is told in', (_, sizes) => {
  expect(freeBytesOf({ ...COUNTS, ...sizes })).toBe(100 * MIB)
  expect(usedBytesOf({ ...COUNTS, ...sizes })).toBe(80 * MIB)
})
