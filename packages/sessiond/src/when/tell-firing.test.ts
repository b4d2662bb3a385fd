import { describe, expect, it } from 'vitest'
import { tellDst, tellInstant, tellSpan } from './tell-firing.ts'

describe('a firing in words', () => {
  it('says what clocks make of it', () => {
    const gap = { atMs: Date.parse('2026-03-29T01:00Z'), dst: 'gap' } as const
    expect(tellDst(gap, 'Europe/Berlin')).toContain(
      'clocks go forward: its time does not exist that day, so it runs at 03:00',
    )
    const repeated = { atMs: Date.parse('2026-10-25T00:30Z'), dst: 'repeated' } as const
    expect(tellDst(repeated, 'Europe/Berlin')).toBe('clocks go back: 02:30 comes twice that day')
    expect(tellDst({ ...gap, dst: null }, 'Europe/Berlin')).toBe('')
  })

  it.each([
    [0, 'now'],
    [999, 'now'],
    [61_000, 'in 1 min 1 s'],
    [-3_600_000, '1 h ago'],
    [3 * 86_400_000 + 4 * 3_600_000 + 5 * 60_000, 'in 3 d 4 h'],
    [86_400_000 + 5 * 60_000, 'in 1 d'],
  ])('tells a span of %i ms as %s', (spanMs, words) => {
    expect(tellSpan(spanMs)).toBe(words)
  })

  it('names the zone and how far off it is', () => {
    const atMs = Date.parse('2030-01-01T08:00:00Z')
    expect(tellInstant(atMs, { timeZone: 'Europe/Berlin', nowMs: atMs - 7_200_000 })).toBe(
      'Tue 2030-01-01 09:00:00 +01:00 (Europe/Berlin), in 2 h',
    )
  })
})
