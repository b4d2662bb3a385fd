import { describe, expect, it } from 'vitest'
import { type Firing, formatFiring, formatLength } from './format-firing.ts'

const BERLIN = 'Europe/Berlin'

describe('formatFiring', () => {
  it.each<[string, Firing, string]>([
    [
      'an instant',
      { atMs: Date.UTC(2030, 0, 1, 8), timeZone: BERLIN },
      'Tue 2030-01-01 09:00:00 +01:00 (Europe/Berlin)',
    ],
    ['half hours', { atMs: 0, timeZone: 'Asia/Kolkata' }, 'Thu 1970-01-01 05:30:00 +05:30 (Asia/Kolkata)'],
    [
      'half hours behind',
      { atMs: 0, timeZone: 'America/St_Johns' },
      'Wed 1969-12-31 20:30:00 -03:30 (America/St_Johns)',
    ],
    [
      'a gap',
      { atMs: Date.UTC(2030, 2, 31, 1), timeZone: BERLIN, dst: 'gap', wanted: '02:30' },
      'Sun 2030-03-31 03:00:00 +02:00 (Europe/Berlin); clocks go forward: 02:30 does not exist that day',
    ],
    [
      'a gap nobody names the time of',
      { atMs: Date.UTC(2030, 2, 31, 1), timeZone: BERLIN, dst: 'gap' },
      'Sun 2030-03-31 03:00:00 +02:00 (Europe/Berlin); clocks go forward: the time asked for does not exist that day',
    ],
    [
      'the first of two',
      { atMs: Date.UTC(2030, 9, 27, 0, 30), timeZone: BERLIN, dst: 'repeated' },
      'Sun 2030-10-27 02:30:00 +02:00 (Europe/Berlin); clocks go back: 02:30 comes twice that day, this is the first',
    ],
    [
      'the second of two',
      { atMs: Date.UTC(2030, 9, 27, 1, 30), timeZone: BERLIN, dst: 'repeated' },
      'Sun 2030-10-27 02:30:00 +01:00 (Europe/Berlin); clocks go back: 02:30 comes twice that day, this is the second',
    ],
  ])('shows %s', (_, firing, words) => {
    expect(formatFiring(firing)).toBe(words)
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
