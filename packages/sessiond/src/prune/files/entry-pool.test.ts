import { expect, test } from 'vitest'
import type { SeenEntry } from '../../decide/seen-entry.ts'
import type { ArtifactClass } from '../../model/artifact.ts'
import { EntryPool } from './entry-pool.ts'

const NOW = 1_000_000_000
const PRESSURE = { usedShare: 1, highWaterShare: 0.9, wantedBytes: 1 }
const RULE: ArtifactClass = {
  name: 'logs',
  group: 'g',
  root: '/r',
  patterns: ['*'],
  ageBy: 'writing',
  maxAgeMs: 1_000,
  maxCount: 3,
  maxBytes: null,
  mayGoEarly: true,
  keep: [],
  protects: [],
}

function entryOf(session: string, ageMs: number, changes: Partial<SeenEntry> = {}): SeenEntry {
  const owner = { group: 'g', session, epoch: null, ids: [] }
  const path = `${session}/${ageMs}`
  return { rule: 0, path, ...owner, sinceMs: NOW - ageMs, bytes: 1, linked: null, isLeftover: false, ...changes }
}

function poolOf(maxWeight: number, pressure: typeof PRESSURE | null = null): EntryPool<SeenEntry> {
  return new EntryPool(maxWeight, { rules: [RULE], nowMs: NOW, pressure })
}

test('(F5) who has very many keeps nobody out, whether he comes first or last', () => {
  for (const few of [0, 500, 1_000]) {
    const pool = poolOf(20)
    for (let index = 0; index <= 1_000; index += 1) {
      if (index === few) for (const age of [1, 2, 3]) pool.add(entryOf('few', age))
      pool.add(entryOf('many', 10_000 + index))
    }
    expect(pool.entries.filter(({ session }) => session === 'few')).toHaveLength(3)
    expect(pool.entries.length).toBeGreaterThan(10)
    expect(pool.entries.length).toBeLessThanOrEqual(20)
    const { entries = 0 } = pool.leftOut.get('0/g') ?? {}
    expect(entries + pool.entries.length).toBe(1_004)
  }
})

test('keeps leftovers first, then the oldest', () => {
  const pool = poolOf(8)
  pool.add(entryOf('s', 1, { isLeftover: true, path: 'left' }))
  for (let age = 1; age <= 100; age += 1) pool.add(entryOf('s', age))
  const kept = pool.entries.map(({ path }) => path)
  expect(kept).toEqual(expect.arrayContaining(['left', 's/100', 's/99', 's/98']))
  expect(pool.leftOut.get('0/g')?.sinceMs).toBeGreaterThan(NOW - 98)
})

test('on a full disk keeps what is due first, then what has cost most', () => {
  const pool = poolOf(8, PRESSURE)
  pool.add(entryOf('s', 2_000, { path: 'due' }))
  pool.add(entryOf('s', 100, { path: 'big', bytes: 9_000 }))
  for (let age = 101; age <= 200; age += 1) pool.add(entryOf('s', age))
  expect(pool.entries.map(({ path }) => path)).toEqual(expect.arrayContaining(['due', 'big', 's/200']))
})

test('counts long paths as several', () => {
  const pool = poolOf(8)
  for (let age = 1; age <= 5; age += 1) pool.add(entryOf('s', age, { path: 'p'.repeat(1_000) }))
  expect(pool.entries.length).toBeLessThanOrEqual(2)
})
