import { expect, test } from 'vitest'
import { isFuture, sinceOf } from './age-of-entry.ts'

const NOW = 1_000_000_000
const SKEW = 60_000

test.each([
  ['written then', { mtimeMs: NOW - 50, ctimeMs: NOW - 10 }, 'writing', NOW - 50],
  ['handed over with an old time', { mtimeMs: NOW - 50, ctimeMs: NOW - 10 }, 'arrival', NOW - 10],
  ['written after it came', { mtimeMs: NOW - 10, ctimeMs: NOW - 50 }, 'arrival', NOW - 10],
  ['by a clock a little ahead', { mtimeMs: NOW + SKEW, ctimeMs: NOW - 10 }, 'writing', NOW + SKEW],
  ['dated in the future', { mtimeMs: NOW + SKEW + 1, ctimeMs: NOW - 10 }, 'writing', NOW - 10],
  ['dated in the future, and handed over', { mtimeMs: NOW + SKEW + 1, ctimeMs: NOW - 10 }, 'arrival', NOW - 10],
  ['all of it in the future', { mtimeMs: NOW + SKEW + 2, ctimeMs: NOW + SKEW + 1 }, 'writing', NOW + SKEW + 1],
] as const)('a file %s has its age from there on', (_, times, ageBy, expected) => {
  expect(sinceOf(times, ageBy, NOW)).toBe(expected)
})

test('at the end of all time nothing lies ahead', () => {
  expect(isFuture(Date.UTC(9999, 11, 31) * 1_000, Number.POSITIVE_INFINITY)).toBe(false)
})
