import { describe, expect, it } from 'vitest'
import { archiveAgainAtMs, isArchiveDue } from './decide-archive.ts'

const NOW = 1_000_000_000
const DAY_MS = 86_400_000
const closed = (sinceMs: number, notBeforeMs = 0) => {
  return { sessionId: 'g/s', group: 'g', closedAtMs: NOW - sinceMs, notBeforeMs }
}

describe('isArchiveDue', () => {
  it.each<[string, number, number, number | null, boolean]>([
    ['a millisecond too young', 999, 0, 1_000, false],
    ['just old enough', 1_000, 0, 1_000, true],
    ['closed in the future', -1, 0, 0, false],
    ['kept for no time at all', 0, 0, 0, true],
    ['kept for ever', 1e9, 0, null, false],
    ['put off, a millisecond to go', 1_000, NOW + 1, 1_000, false],
    ['put off until now', 1_000, NOW, 1_000, true],
    ['put off as far as anything is', 1_000, NOW + DAY_MS, 1_000, false],
    ['put off by the cleaning itself, at the end of its day', 1_000, NOW + 2 * DAY_MS, 1_000, false],
    ['put off by a clock that has been set back since', 1_000, NOW + 2 * DAY_MS + 1, 1_000, true],
  ])('%s', (_, sinceMs, notBeforeMs, closedSessionsMs, isDue) => {
    expect(isArchiveDue(closed(sinceMs, notBeforeMs), closedSessionsMs, NOW)).toBe(isDue)
  })
})

describe('archiveAgainAtMs', () => {
  it.each([
    ['changed', 3_600_000],
    ['no-room', 3_600_000],
    ['failed', 3_600_000],
    ['too-big', DAY_MS],
    ['two-folders', DAY_MS],
    ['missing', DAY_MS],
    ['unreadable', DAY_MS],
  ])('tries what was put off as %s again after %i ms', (because, afterMs) => {
    expect(archiveAgainAtMs(because, NOW)).toBe(NOW + afterMs)
  })
})
