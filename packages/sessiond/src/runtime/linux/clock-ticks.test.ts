import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { clockTicksPerSecond, parseAuxv } from './clock-ticks.ts'

function vectorOf(order: 'LE' | 'BE', ...words: bigint[]): Buffer {
  const vector = Buffer.alloc(words.length * 8)
  for (const [index, word] of words.entries()) {
    if (order === 'LE') vector.writeBigUInt64LE(word, index * 8)
    else vector.writeBigUInt64BE(word, index * 8)
  }
  return vector
}

test.each(['LE', 'BE'] as const)('finds the ticks among the entries (%s)', (order) => {
  expect(parseAuxv(vectorOf(order, 6n, 4096n, 17n, 250n, 0n, 0n), order)).toBe(250)
})

test.each([
  ['no entry at all', vectorOf('LE')],
  ['no such entry', vectorOf('LE', 6n, 4096n, 0n, 0n)],
  ['an entry that is cut', vectorOf('LE', 17n)],
  ['no ticks', vectorOf('LE', 17n, 0n)],
  ['more than a clock has', vectorOf('LE', 17n, 1n << 60n)],
  ['noise', Buffer.from('garbage')],
])('finds none where there is %s', (_, vector) => {
  expect(parseAuxv(vector, 'LE')).toBeNull()
})

test.skipIf(process.platform !== 'linux')('agrees with the system', () => {
  expect(clockTicksPerSecond()).toBe(Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })))
})
