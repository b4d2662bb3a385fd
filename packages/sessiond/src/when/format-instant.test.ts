import { describe, expect, it } from 'vitest'
import { formatLength, formatWallTime } from './format-instant.ts'

describe('formatWallTime', () => {
  it.each([
    ['2030-01-01T08:00:00Z', 'Europe/Berlin', 'Tue 2030-01-01 09:00:00 +01:00'],
    ['2030-01-01T08:00:00.250Z', 'Europe/Berlin', 'Tue 2030-01-01 09:00:00 +01:00'],
    ['2030-01-01T03:15:00Z', 'Asia/Kathmandu', 'Tue 2030-01-01 09:00:00 +05:45'],
    ['1970-01-01T00:00:00Z', 'America/St_Johns', 'Wed 1969-12-31 20:30:00 -03:30'],
  ])('of %s in %s', (instant, zone, words) => {
    expect(formatWallTime(Date.parse(instant), zone)).toBe(words)
  })
})

describe('formatLength', () => {
  it.each([
    [0, '0 s'],
    [999, '0 s'],
    [59_999, '59 s'],
    [600_000, '10 min'],
    [5_400_000, '1 h 30 min'],
    [86_400_000 + 60_000, '1 d'],
    [3 * 86_400_000 + 4 * 3_600_000 + 59_000, '3 d 4 h'],
  ])('of %d ms is %j', (ms, words) => {
    expect(formatLength(ms)).toBe(words)
  })
})
