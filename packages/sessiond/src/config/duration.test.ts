import { describe, expect, it } from 'vitest'
import { formatDuration, parseDurationMs } from './duration.ts'
import { formatSize, parseSizeBytes } from './size.ts'

describe('parseDurationMs', () => {
  it.each([
    [0, 0],
    [1500, 1500],
    ['250ms', 250],
    ['5s', 5_000],
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['1d2h3m4s5ms', 93_784_005],
    ['0ms', 0],
  ])('reads %j as %d ms', (value, ms) => {
    expect(parseDurationMs(value)).toBe(ms)
  })

  it.each([
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    '30',
    '30 m',
    '1.5h',
    '30m1h',
    '5m5m',
    'm',
    '-5s',
    '5S',
    `${'9'.repeat(30)}d`,
    null,
    undefined,
    true,
    {},
  ])('refuses %j', (value) => {
    expect(parseDurationMs(value)).toBeUndefined()
  })

  it.each([0, 1, 250, 1_000, 90_000, 5_400_000, 93_784_005])('reads back what formatDuration wrote for %d ms', (ms) => {
    expect(parseDurationMs(formatDuration(ms))).toBe(ms)
  })
})

describe('parseSizeBytes', () => {
  it.each([
    [0, 0],
    [17, 17],
    ['512B', 512],
    ['64KiB', 65_536],
    ['2MiB', 2_097_152],
    ['1GiB', 1_073_741_824],
  ])('reads %j as %d bytes', (value, bytes) => {
    expect(parseSizeBytes(value)).toBe(bytes)
  })

  it.each([-1, 0.5, '', '64', '64MB', '64 MiB', '1.5GiB', 'MiB', null, []])('refuses %j', (value) => {
    expect(parseSizeBytes(value)).toBeUndefined()
  })

  it.each([0, 1, 1023, 1024, 65_536, 2_097_152, 2_097_153])(
    'reads back what formatSize wrote for %d bytes',
    (bytes) => {
      expect(parseSizeBytes(formatSize(bytes))).toBe(bytes)
    },
  )
})
