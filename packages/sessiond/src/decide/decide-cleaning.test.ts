import { describe, expect, it } from 'vitest'
import type { CleaningPolicy } from '../model/retention.ts'
import { type CleaningFacts, decideCleaning, decidePressure } from './decide-cleaning.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const NOW = Date.UTC(2030, 0, 10)

const POLICY: CleaningPolicy = {
  everyMs: DAY_MS,
  budgetMs: 5 * MINUTE_MS,
  batch: 500,
  highWaterShare: 0.9,
  trashMs: 7 * DAY_MS,
  usesTrash: false,
}
const QUIET: CleaningFacts = {
  nowMs: NOW,
  lastEndedAtMs: NOW - 1,
  restedMs: null,
  leaptAheadMs: null,
  isLeftOver: false,
  vainInARow: 0,
  failures: 0,
  usedShare: 0.5,
  isNearFloor: false,
}

function decide(facts: Partial<CleaningFacts>, policy: Partial<CleaningPolicy> = {}) {
  const { action, because } = decideCleaning({ ...QUIET, ...facts }, { ...POLICY, ...policy })
  return `${action} ${because}`
}

describe('decideCleaning', () => {
  it.each<[string, Partial<CleaningFacts>, Partial<CleaningPolicy>, string]>([
    ['just before its time', { lastEndedAtMs: NOW - DAY_MS + 1 }, {}, 'wait not-due'],
    ['at its time', { lastEndedAtMs: NOW - DAY_MS }, {}, 'clean due'],
    ['where none is on record', { lastEndedAtMs: null }, {}, 'clean due'],
    ['when the clock was set back behind the last', { lastEndedAtMs: NOW + 400 * DAY_MS }, {}, 'clean due'],
    [
      'soon after the clock has leapt',
      { lastEndedAtMs: null, usedShare: 1, leaptAheadMs: 3_599_999 },
      {},
      'wait clock-leapt',
    ],
    ['when the clock has stayed there', { lastEndedAtMs: null, leaptAheadMs: 3_600_000 }, {}, 'clean due'],
    ['when only asked', { lastEndedAtMs: null, isLeftOver: true }, { everyMs: null }, 'wait switched-off'],
    ['when only asked, on a full disk', { usedShare: 0.95 }, { everyMs: null }, 'clean high-water'],
    ['just below the mark', { usedShare: 0.8999 }, {}, 'wait not-due'],
    ['at the mark', { usedShare: 0.9 }, {}, 'clean high-water'],
    ['on a disk that cannot be asked', { usedShare: null }, {}, 'wait not-due'],
    ['on a full disk without a mark', { usedShare: 1 }, { highWaterShare: null }, 'wait not-due'],
    ['at the mark, in vain just now', { usedShare: 1, vainInARow: 1, restedMs: 599_999 }, {}, 'wait not-due'],
    ['at the mark, in vain a while ago', { usedShare: 1, vainInARow: 1, restedMs: 600_000 }, {}, 'clean high-water'],
    ['at the mark, in vain twice', { usedShare: 1, vainInARow: 2, restedMs: 1_199_999 }, {}, 'wait not-due'],
    ['at the mark, in vain for days', { usedShare: 1, vainInARow: 999, restedMs: 21_599_999 }, {}, 'wait not-due'],
    [
      'at the mark, in vain for days, hours ago',
      { usedShare: 1, vainInARow: 999, restedMs: 21_600_000 },
      {},
      'clean high-water',
    ],
    [
      'near the floor, in vain for days',
      { usedShare: 1, vainInARow: 999, isNearFloor: true, restedMs: 600_000 },
      {},
      'clean high-water',
    ],
    ['with something left, at once', { isLeftOver: true, restedMs: 25 * MINUTE_MS - 1 }, {}, 'wait resting'],
    ['with something left, after a rest', { isLeftOver: true, restedMs: 25 * MINUTE_MS }, {}, 'clean left-over'],
    ['with something left by another process', { isLeftOver: true }, {}, 'clean left-over'],
    [
      'with something left, and a short round',
      { isLeftOver: true, restedMs: 1_000 },
      { everyMs: 1_000 },
      'clean left-over',
    ],
  ])('%s', (_, facts, policy, decision) => {
    expect(decide(facts, policy)).toBe(decision)
  })

  it.each([
    [1, 60_000],
    [2, 120_000],
    [6, 1_920_000],
    [7, 3_600_000],
    [5_000, 3_600_000],
  ])('(F6) after %i failures waits %i ms, on a full disk too', (failures, waitMs) => {
    const due = { lastEndedAtMs: null, usedShare: 1, failures }
    expect(decide({ ...due, restedMs: waitMs - 1 })).toBe('wait failed')
    expect(decide({ ...due, restedMs: waitMs })).toBe('clean high-water')
    // The disk has room again and the daily one is not due: the outage is tried to be ended all the same.
    expect(decide({ failures, restedMs: waitMs })).toBe('clean due')
  })
})

describe('decidePressure', () => {
  it.each([
    ['far from the floor, however full', { usedBytes: 990, totalBytes: 1000, floorBytes: 5 }, 0],
    ['just twice the floor', { usedBytes: 990, totalBytes: 1000, floorBytes: 5 }, 0],
    ['just below twice the floor', { usedBytes: 991, totalBytes: 1000, floorBytes: 5 }, 1],
    ['at the end of all room', { usedBytes: 1000, totalBytes: 1000, floorBytes: 5 }, 10],
    ['without a floor', { usedBytes: 1000, totalBytes: 1000, floorBytes: 0 }, 0],
  ])('%s', (_, fill, wantedBytes) => {
    expect(decidePressure({ ...fill, highWaterShare: 0.9 })).toEqual({
      usedShare: fill.usedBytes / 1000,
      highWaterShare: 0.9,
      wantedBytes,
    })
  })
})
