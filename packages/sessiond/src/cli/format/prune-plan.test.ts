import { describe, expect, it } from 'vitest'
import type { PlannedRemoval, PrunePlan } from '../../model/artifact.ts'
import { formatBytes } from './bytes.ts'
import { formatPrunePlan } from './prune-plan.ts'

const DAY_MS = 86_400_000

function removal(path: string, more: Partial<PlannedRemoval> = {}): PlannedRemoval {
  return {
    className: 'debugLogs',
    rule: 0,
    path,
    isFolder: false,
    bytes: 1024,
    files: 1,
    group: 'ops',
    session: 'main',
    epoch: null,
    ids: [],
    reason: { bound: 'age', ageMs: 9 * DAY_MS, maxAgeMs: 3 * DAY_MS },
    identity: { dev: '1', ino: '2', mtimeMs: 0, bytes: 1024, looks: 1 },
    ...more,
  }
}

function planOf(removals: readonly PlannedRemoval[], more: Partial<PrunePlan> = {}): PrunePlan {
  const bytes = removals.reduce((sum, each) => sum + each.bytes, 0)
  const removed = { entries: removals.length, bytes }
  const seen = { entries: removals.length + 3, bytes: bytes + 10 }
  const classes = [{ name: 'debugLogs', seen, removed, stays: { active: 2, 'kept-name': 1 } }]
  return { plannedAtMs: 0, rules: [], removals, classes, isPartial: false, ...more }
}

describe('formatPrunePlan', () => {
  it('tells by class what goes, of how much, why, and what stays', () => {
    const old = removal('b', { reason: { bound: 'age', ageMs: 31 * DAY_MS, maxAgeMs: 3 * DAY_MS } })
    expect(formatPrunePlan(planOf([removal('a'), old]))).toBe(
      `\
CLASS      ENTRIES  BYTES    OF          WHY                    STAYS
debugLogs  2        2.0 KiB  5, 2.0 KiB  older than 3 d (31 d)  2 in use, 1 kept by name

SESSION   ENTRIES  BYTES
ops/main  2        2.0 KiB

2 entries, 2.0 KiB
`,
    )
  })

  it('keeps bounds of one class apart, the bigger first', () => {
    const text = formatPrunePlan(
      planOf([
        removal('a'),
        removal('b', { bytes: 9_000_000, reason: { bound: 'bytes', bytesBefore: 2 ** 31, maxBytes: 2 ** 30 } }),
        removal('c', { reason: { bound: 'highWater', usedShare: 0.934, highWaterShare: 0.9 } }),
        removal('d', { bytes: 1, reason: { bound: 'count', rank: 21, maxCount: 20 } }),
      ]),
    )
    expect(text).toContain(
      'over 1.0 GiB (2.0 GiB): 1; older than 3 d (9 d): 1; disk 93 % full, at most 90 % wanted: 1; …',
    )
  })

  it('tells sessions biggest first, and of too many only how many more', () => {
    const removals = Array.from({ length: 1_200 }, (_, index) =>
      removal('x', { session: `s${index}`, bytes: index + 1 }),
    )
    const lines = formatPrunePlan(planOf(removals)).split('\n')
    expect(lines[3]).toMatch(/^SESSION/)
    expect(lines[4]).toMatch(/^ops\/s1199 +1 +1\.2 KiB$/)
    expect(lines).toContain('and 1160 more, 657.6 KiB')
  })

  it('knows a session by the id in a name where nothing else names it, and shows names harmlessly', () => {
    const text = formatPrunePlan(
      planOf([removal('x', { session: null, group: 'g\u001b[2J', ids: ['abc-1', 'abc-1'] })]),
    )
    expect(text).toContain('g\\e[2J/abc-1  1')
    expect(text).not.toContain('\u001b')
  })

  it('says so when nothing goes and when a plan is not all', () => {
    expect(formatPrunePlan(planOf([]))).toContain('No file would go.')
    expect(formatPrunePlan(planOf([removal('a')], { isPartial: true }))).toContain('This is not all')
  })
})

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [27 * 1024 ** 3, '27.0 GiB'],
  ])('writes %i as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})
