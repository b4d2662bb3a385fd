import { describe, expect, it } from 'vitest'
import { decideHealth } from './decide-health.ts'

const healthy = {
  lastSweepAgeMs: 0,
  sweepIntervalMs: 60_000,
  oldestDueAgeMs: null,
  freeBytes: 5_000_000,
  diskFloorBytes: 4_000_000,
  parkedGroups: [],
  lostRuntimes: [],
  unkillable: [],
  cleaningFailsForMs: null,
}

describe('decideHealth (H5)', () => {
  it.each([
    [{}, 0],
    [{ lastSweepAgeMs: null }, 0],
    [{ lastSweepAgeMs: 180_000 }, 0],
    [{ lastSweepAgeMs: 180_001 }, 1],
    [{ oldestDueAgeMs: 600_000 }, 0],
    [{ oldestDueAgeMs: 600_001 }, 1],
    [{ freeBytes: 4_000_000 }, 0],
    [{ freeBytes: 3_999_999 }, 1],
    [{ freeBytes: null }, 0],
    [{ freeBytes: 1024 * 1024, diskFloorBytes: 0 }, 0],
    [{ freeBytes: 1024 * 1024 - 1, diskFloorBytes: 0 }, 1],
    [{ lostRuntimes: ['docker'], unkillable: ['r'] }, 2],
    [{ parkedGroups: ['old', 'older'] }, 2],
    [{ cleaningFailsForMs: 21_600_000 }, 0],
    [{ cleaningFailsForMs: 21_600_001 }, 1],
  ])('%o: %i problems', (facts, problems) => {
    expect(decideHealth({ ...healthy, ...facts })).toHaveLength(problems)
  })
})
