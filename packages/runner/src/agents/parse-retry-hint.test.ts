import { describe, expect, it } from 'vitest'
import { parseRetryHint } from './parse-retry-hint.ts'

const NOW = Date.UTC(2026, 0, 1)

describe('parseRetryHint', () => {
  it.each([
    ['retry-at: 2026-01-01T05:00:00Z', NOW + 5 * 3_600_000],
    ['retry-at: 2026-01-01T07:00:00+02:00', NOW + 5 * 3_600_000],
    ['retry-at: 2026-01-01 05:00:00', NOW + 5 * 3_600_000],
    ['  Retry-After: 30  ', NOW + 30_000],
    ['retry-after: 0', NOW],
    ['retry-after: 1.5', NOW + 1_500],
  ])('reads %j', (line, expected) => {
    expect(parseRetryHint(line, NOW)).toEqual({ at: new Date(expected), trouble: null })
  })

  it.each([
    ['retry-after: 30; rate-limit', NOW + 30_000, 'rate-limit'],
    ['retry-after: 30 ;Outage', NOW + 30_000, 'outage'],
    ['retry-at: 2026-01-01T05:00:00Z; outage', NOW + 5 * 3_600_000, 'outage'],
    ['retry-later: rate-limit', null, 'rate-limit'],
    ['Retry-Later:outage', null, 'outage'],
  ])('reads the trouble of %j', (line, atMs, trouble) => {
    expect(parseRetryHint(line, NOW)).toEqual({ at: atMs === null ? null : new Date(atMs), trouble })
  })

  it.each([
    'retry-after: 30; flood',
    'retry-after: 30; rate-limit; outage',
    'retry-after: ; outage',
    'retry-later:',
    'retry-later: soon',
    'outage',
    '',
    'retry',
    'retry-at: soon',
    'retry-after: -5',
    'retry-after: 1e9',
    'retry-after: 10 minutes',
    'x retry-after: 5',
  ])('reads nothing from %j', (line) => {
    expect(parseRetryHint(line, NOW)).toBeUndefined()
  })
})
