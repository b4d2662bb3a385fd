import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ActiveReferences, ArtifactClass } from '../model/artifact.ts'
import { decideByAge, decideRemovals, isImplausible, type LeftOut, protectedBecause } from './decide-removals.ts'
import type { Pressure } from './decide-under-pressure.ts'
import type { SeenEntry } from './seen-entry.ts'

const NOW = 1_000_000_000
const DAY = 86_400_000

function ruleWith(changes: Partial<ArtifactClass> = {}): ArtifactClass {
  const bounds = { ageBy: 'writing', maxAgeMs: null, maxCount: null, maxBytes: null, mayGoEarly: true } as const
  return { name: 'logs', group: null, root: '/r', patterns: ['*'], ...bounds, keep: [], protects: [], ...changes }
}

function entryOf(ageMs: number, changes: Partial<SeenEntry> = {}): SeenEntry {
  const owner = { group: null, session: null, epoch: null, ids: [] }
  return {
    rule: 0,
    path: `${ageMs}`,
    ...owner,
    sinceMs: NOW - ageMs,
    bytes: 10,
    linked: null,
    isLeftover: false,
    ...changes,
  }
}

function activeWith(changes: Partial<ActiveReferences> = {}): ActiveReferences {
  const none = new Set<string>()
  return {
    ids: none,
    openSessions: none,
    closedSessions: none,
    workingSessions: none,
    liveRuns: none,
    hasSessions: true,
    ...changes,
  }
}

function decide(
  rule: ArtifactClass | readonly ArtifactClass[],
  entries: readonly SeenEntry[],
  {
    active = activeWith(),
    pressure = null as Pressure | null,
    maxRemovals = 1_000,
    leftOut = new Map<string, LeftOut>(),
  } = {},
) {
  const rules = [rule].flat()
  const decided = decideRemovals({ entries, leftOut, rules, active, nowMs: NOW, pressure, maxRemovals })
  return { ...decided, paths: decided.removals.map(({ entry }) => entry.path) }
}

test.each([
  [DAY - 1, []],
  [DAY, []],
  [DAY + 1, [{ bound: 'age', ageMs: DAY + 1, maxAgeMs: DAY }]],
])('an entry %d ms old goes for %j where a day is the bound', (ageMs, reasons) => {
  const { removals } = decide(ruleWith({ maxAgeMs: DAY }), [entryOf(ageMs)])
  expect(removals.map(({ reason }) => reason)).toEqual(reasons)
})

test('removes nothing where no bound is set, of whatever age', () => {
  expect(decide(ruleWith(), [entryOf(1e12)]).removals).toEqual([])
})

test('keeps the newest of a count, oldest first in the plan', () => {
  const { removals } = decide(ruleWith({ maxCount: 2 }), [entryOf(3), entryOf(1), entryOf(4), entryOf(2)])
  expect(removals.map(({ entry, reason }) => [entry.path, reason])).toEqual([
    ['4', { bound: 'count', rank: 4, maxCount: 2 }],
    ['3', { bound: 'count', rank: 3, maxCount: 2 }],
  ])
})

test('keeps the newest that fit into a size, just so', () => {
  const entries = [
    entryOf(1, { bytes: 60 }),
    entryOf(2, { bytes: 40 }),
    entryOf(3, { bytes: 1 }),
    entryOf(4, { bytes: 0 }),
  ]
  const { removals } = decide(ruleWith({ maxBytes: 100 }), entries)
  expect(removals.map(({ entry, reason }) => [entry.path, reason])).toEqual([
    ['4', { bound: 'bytes', bytesBefore: 101, maxBytes: 100 }],
    ['3', { bound: 'bytes', bytesBefore: 100, maxBytes: 100 }],
  ])
})

test('counts each group, and each rule, for itself', () => {
  const rules = [ruleWith({ maxCount: 1 }), ruleWith({ maxCount: 1 })]
  const entries = [
    entryOf(1, { group: 'a' }),
    entryOf(2, { group: 'b' }),
    entryOf(3, { group: 'a' }),
    entryOf(4, { rule: 1, group: 'a' }),
  ]
  expect(decide(rules, entries).paths).toEqual(['3'])
})

test('(F4) lets what is protected take its place in count and size, and stay beyond both', () => {
  const rule = ruleWith({ maxCount: 1, protects: ['id'] })
  const held = { ids: ['held'] }
  const active = activeWith({ ids: new Set(['held']) })
  const decided = decide(rule, [entryOf(1, held), entryOf(2), entryOf(3, held)], { active })
  expect(decided.paths).toEqual(['2'])
  expect(decided.stays).toEqual([{ active: 1 }])
})

test('never takes a time to come for an age, nor for a place before others, and says that it is there', () => {
  const rule = ruleWith({ maxAgeMs: DAY, maxCount: 1, maxBytes: 10 })
  const pressure = { usedShare: 1, highWaterShare: 0.9, wantedBytes: 1e9 }
  const decided = decide(rule, [entryOf(-60_001), entryOf(-1e11), entryOf(1)], { pressure })
  expect(decided.removals).toEqual([])
  expect(decided.stays).toEqual([{ future: 2 }])
})

test('takes a clock that is a little ahead for now', () => {
  const decided = decide(ruleWith({ maxAgeMs: 0, maxCount: 0 }), [entryOf(-60_000)])
  expect(decided.removals.map(({ reason }) => reason.bound)).toEqual(['count'])
})

test('keeps names that are never removed, by the last segment alone', () => {
  const rule = ruleWith({ maxAgeMs: 0, keep: ['latest'] })
  const paths = ['latest', 'a/latest', 'latest/a', 'latest2', 'Latest']
  const decided = decide(
    rule,
    paths.map((path) => entryOf(1, { path })),
  )
  expect(decided.paths).toEqual(['latest/a', 'latest2', 'Latest'])
  expect(decided.stays).toEqual([{ 'kept-name': 2 }])
})

test.each([
  ['id', { ids: ['x', 'abc'] }, { ids: new Set(['abc']) }, true],
  ['id', { ids: ['abcd'] }, { ids: new Set(['abc']) }, false],
  ['id', { ids: ['ab'] }, { ids: new Set(['abc']) }, false],
  ['session', { group: 'g', session: 's' }, { openSessions: new Set(['g/s']) }, true],
  ['session', { group: 'g', session: 's' }, { workingSessions: new Set(['g/s']), liveRuns: new Set(['g/s/1']) }, false],
  ['session', { group: null, session: 's' }, { openSessions: new Set(['null/s', '/s']) }, false],
  ['work', { group: 'g', session: 's' }, { workingSessions: new Set(['g/s']) }, true],
  ['work', { group: 'g', session: 's' }, { openSessions: new Set(['g/s']) }, false],
  ['run', { group: 'g', session: 's', epoch: '1' }, { liveRuns: new Set(['g/s/1']) }, true],
  ['run', { group: 'g', session: 's', epoch: '11' }, { liveRuns: new Set(['g/s/1']) }, false],
  ['run', { group: 'g', session: 's', epoch: null }, { liveRuns: new Set(['g/s/null']) }, false],
] as const)('(F4) protects by %s, whole: %j against %j is %j', (protection, owner, active, expected) => {
  const entry = entryOf(1, { ...owner, ids: 'ids' in owner ? owner.ids : [] })
  expect(protectedBecause(entry, [protection], activeWith(active)) !== null).toBe(expected)
})

test('any one protection is enough', () => {
  const entry = entryOf(1, { group: 'g', session: 's', ids: ['x'] })
  const active = activeWith({ openSessions: new Set(['g/s']) })
  expect(protectedBecause(entry, ['id', 'work', 'session'], active)).toBe('active')
  expect(protectedBecause(entry, [], active)).toBeNull()
})

test.each([
  ['on record and open', activeWith({ openSessions: new Set(['g/s']) }), null],
  ['on record and closed', activeWith({ closedSessions: new Set(['g/s']) }), null],
  ['not on record', activeWith({ openSessions: new Set(['g/s2', 'h/s']) }), 'no-record'],
] as const)('of a session that is %s, files stay or not accordingly', (_, active, expected) => {
  const entry = entryOf(5 * DAY, { group: 'g', session: 's' })
  expect(protectedBecause(entry, ['no-record'], active)).toBe(expected)
  const rules = [ruleWith({ maxAgeMs: DAY, protects: ['no-record'] })]
  const { removals, stays } = decide(rules, [entry], { active })
  expect(removals).toHaveLength(expected === null ? 1 : 0)
  expect(stays).toEqual([expected === null ? {} : { 'no-record': 1 }])
})

test('finds it implausible that files of sessions are there and no session is known', () => {
  const rules = [ruleWith(), ruleWith({ protects: ['session'] })]
  const nobody = activeWith({ hasSessions: false })
  expect(isImplausible(rules, [5, 1], nobody)).toBe(true)
  expect(isImplausible(rules, [5, 0], nobody)).toBe(false)
  expect(isImplausible(rules, [5, 1], activeWith({ hasSessions: true }))).toBe(false)
})

test('under pressure adds the biggest and oldest to what bounds remove, until enough goes', () => {
  const hour = 3_600_000
  const rules = [ruleWith({ maxAgeMs: 9 * hour, protects: ['id'] }), ruleWith()]
  const entries = [
    entryOf(10 * hour, { path: 'due', bytes: 1 }),
    entryOf(2 * hour, { path: 'big', bytes: 100 }),
    entryOf(8 * hour, { path: 'bigger by age', bytes: 30 }),
    entryOf(8 * hour, { path: 'small', bytes: 1 }),
    entryOf(8 * hour, { path: 'held', bytes: 1_000, ids: ['x'] }),
    entryOf(600_000, { path: 'in use', bytes: 9_000 }),
    entryOf(8 * hour, { path: 'nobody bounds it', bytes: 9_000, rule: 1 }),
    entryOf(8 * hour, { path: 'gives nothing', bytes: 0 }),
  ]
  const active = activeWith({ ids: new Set(['x']) })
  const pressed = (wantedBytes: number) =>
    decide(rules, entries, { active, pressure: { usedShare: 0.95, highWaterShare: 0.9, wantedBytes } })
  expect(pressed(1).paths).toEqual(['due'])
  expect(pressed(2).paths).toEqual(['due', 'bigger by age'])
  expect(pressed(31).paths).toEqual(['due', 'bigger by age'])
  expect(pressed(32).paths).toEqual(['due', 'bigger by age', 'big'])
  expect(pressed(1e9).paths).toEqual(['due', 'bigger by age', 'big', 'small'])
  expect(pressed(2).removals[1]?.reason).toEqual({ bound: 'highWater', usedShare: 0.95, highWaterShare: 0.9 })
})

test('gives the bytes of a file back with the last of its names, and only if all go', () => {
  const rule = ruleWith({ maxAgeMs: 0 })
  const linked = (links: number, ageMs: number) =>
    entryOf(ageMs, { bytes: 0, linked: { inode: `1/${links}`, links, bytes: 77 } })
  const { removals } = decide(rule, [linked(2, 4), linked(2, 3), linked(3, 2), linked(3, 1)])
  expect(removals.map(({ bytes }) => bytes)).toEqual([0, 77, 0, 0])
})

test('takes a file with several names for its size once, if all of them are here', () => {
  const linked = (inode: string, links: number, ageMs: number) =>
    entryOf(ageMs, { path: `${inode}-${ageMs}`, bytes: 0, linked: { inode, links, bytes: 60 } })
  const entries = [linked('a', 2, 1), linked('a', 2, 1.5), linked('b', 2, 2), linked('b', 2, 2.5), linked('c', 2, 3)]
  const { removals } = decide(ruleWith({ maxBytes: 100 }), entries)
  expect(removals.map(({ entry, bytes }) => [entry.path, bytes])).toEqual([
    ['c-3', 0],
    ['b-2.5', 0],
    ['b-2', 60],
  ])
})

test('under pressure what is due goes biggest and oldest first, else the oldest first', () => {
  const rule = ruleWith({ maxAgeMs: DAY })
  const entries = [
    entryOf(9 * DAY, { path: 'old', bytes: 1 }),
    entryOf(2 * DAY, { path: 'big', bytes: 100 }),
    entryOf(8 * DAY, { path: 'old and big', bytes: 90 }),
  ]
  expect(decide(rule, entries).paths).toEqual(['old', 'old and big', 'big'])
  const pressure = { usedShare: 0.95, highWaterShare: 0.9, wantedBytes: 0 }
  expect(decide(rule, entries, { pressure }).paths).toEqual(['old and big', 'big', 'old'])
})

test('under pressure takes all names of a file together, or none', () => {
  const hour = 3_600_000
  const linked = (inode: string, path: string, changes: Partial<SeenEntry> = {}) =>
    entryOf(5 * hour, { path, bytes: 0, linked: { inode, links: 2, bytes: 50 }, ...changes })
  const entries = [
    linked('a', 'a1'),
    linked('a', 'a2'),
    linked('held', 'h1'),
    linked('held', 'h2', { ids: ['x'] }),
    linked('elsewhere', 'e1'),
    linked('due', 'd1', { sinceMs: NOW - 20 * hour }),
    linked('due', 'd2'),
    entryOf(4 * hour, { path: 'plain', bytes: 50 }),
  ]
  const rule = ruleWith({ maxAgeMs: 9 * hour, protects: ['id'] })
  const active = activeWith({ ids: new Set(['x']) })
  const pressed = (wantedBytes: number) =>
    decide(rule, entries, { active, pressure: { usedShare: 0.95, highWaterShare: 0.9, wantedBytes } })
  expect(pressed(1).paths).toEqual(['d1', 'a1', 'a2'])
  expect(pressed(1e9).paths).toEqual(['d1', 'a1', 'a2', 'd2', 'plain'])
  expect(pressed(1e9).removals.map(({ bytes }) => bytes)).toEqual([0, 0, 50, 50, 50])
})

test('a full disk is no reason for what may not go early', () => {
  const pressure = { usedShare: 1, highWaterShare: 0.9, wantedBytes: 1e9 }
  const rule = ruleWith({ maxAgeMs: 9 * DAY, mayGoEarly: false })
  const entries = [entryOf(8 * DAY), entryOf(10 * DAY)]
  expect(decide(rule, entries, { pressure }).paths).toEqual([String(10 * DAY)])
  const early = decideByAge(entries[0] as SeenEntry, rule, { active: activeWith(), nowMs: NOW, pressure })
  expect(early).toBe('stays')
})

const PRESSURE = { usedShare: 1, highWaterShare: 0.9, wantedBytes: 1 }
test.each<[what: string, entry: Partial<SeenEntry> & { ageMs: number }, pressure: Pressure | null, expected: string]>([
  ['young', { ageMs: DAY }, null, 'stays'],
  ['old', { ageMs: DAY + 1 }, null, 'undecided'],
  ['of a time to come', { ageMs: -60_001 }, null, 'future'],
  ['of a time to come, the disk full', { ageMs: -60_001 }, PRESSURE, 'future'],
  ['old, its name kept', { ageMs: DAY + 1, path: 'a/kept' }, null, 'kept-name'],
  ['old and held', { ageMs: DAY + 1, ids: ['held'] }, null, 'active'],
  ['young, the disk full', { ageMs: DAY }, PRESSURE, 'undecided'],
  ['young and empty, the disk full', { ageMs: DAY, bytes: 0 }, PRESSURE, 'stays'],
  ['just written, the disk full', { ageMs: 600_000 }, PRESSURE, 'stays'],
  ['young and held, the disk full', { ageMs: DAY, ids: ['held'] }, PRESSURE, 'stays'],
  ['young, its name kept, the disk full', { ageMs: DAY, path: 'kept' }, PRESSURE, 'stays'],
  ['a leftover', { ageMs: 1, isLeftover: true }, null, 'undecided'],
  ['a leftover that is held', { ageMs: 1, isLeftover: true, ids: ['held'] }, null, 'active'],
])('what is %s needs no further look where none is needed', (_, { ageMs, ...changes }, pressure, expected) => {
  const rule = ruleWith({ maxAgeMs: DAY, keep: ['kept'], protects: ['id'] })
  const active = activeWith({ ids: new Set(['held']) })
  expect(decideByAge(entryOf(ageMs, changes), rule, { active, nowMs: NOW, pressure })).toBe(expected)
})

test('what there was no room for still counts for all that is older', () => {
  const leftOut = new Map([['0/', { sinceMs: NOW - 5, entries: 2, bytes: 95 }]])
  const entries = [entryOf(4), entryOf(5), entryOf(6), entryOf(7)]
  expect(decide(ruleWith({ maxCount: 4 }), entries, { leftOut }).paths).toEqual(['7', '6'])
  expect(decide(ruleWith({ maxBytes: 130 }), entries, { leftOut }).paths).toEqual(['7'])
})

test('finishes what an earlier removal left, young as it is, unless it is held again', () => {
  const rule = ruleWith({ maxAgeMs: DAY, protects: ['session'] })
  const left = { isLeftover: true, group: 'g', session: 's' }
  expect(decide(rule, [entryOf(5, left)]).removals[0]?.reason).toEqual({ bound: 'age', ageMs: 5, maxAgeMs: 0 })
  const active = activeWith({ openSessions: new Set(['g/s']) })
  expect(decide(rule, [entryOf(5, left)], { active }).removals).toEqual([])
  // It counts for nothing, so it drives nothing else out.
  expect(decide(ruleWith({ maxCount: 1 }), [entryOf(1, { ...left, path: 'left' }), entryOf(9)]).paths).toEqual(['left'])
})

test('a plan that would be too long takes some of each session', () => {
  const of = (session: string, ageMs: number) => entryOf(ageMs, { session, path: `${session}${ageMs}` })
  const many = Array.from({ length: 20 }, (_, index) => of('many', 100 + index))
  const decided = decide(ruleWith({ maxAgeMs: 0 }), [...many, of('few', 1), of('few', 2)], { maxRemovals: 6 })
  expect(decided.paths).toEqual(['many119', 'many118', 'many117', 'many116', 'few2', 'few1'])
  expect(decided.isPartial).toBe(true)
})

test('a plan that would be too long has its first part', () => {
  const decided = decide(ruleWith({ maxAgeMs: 0 }), [entryOf(1), entryOf(3), entryOf(2)], { maxRemovals: 2 })
  expect(decided.paths).toEqual(['3', '2'])
  expect(decided.isPartial).toBe(true)
})

const anyEntry = fc.record({
  ageMs: fc.integer({ min: -100_000, max: 100_000 }),
  bytes: fc.nat(50),
  id: fc.constantFrom('a', 'b', 'c'),
  isKept: fc.boolean(),
})
const anyBound = fc.option(fc.nat(60), { nil: null })

test('a part of what is there decides nothing that the whole would not', () => {
  const property = fc.property(
    fc.array(anyEntry, { maxLength: 12 }),
    fc.integer(),
    anyBound,
    anyBound,
    anyBound,
    (seen, mask, maxAgeMs, maxCount, maxBytes) => {
      const rule = ruleWith({ maxAgeMs, maxCount, maxBytes, keep: ['kept'], protects: ['id'] })
      const active = activeWith({ ids: new Set(['a']) })
      const all = seen.map(({ ageMs, bytes, id, isKept }, index) =>
        // No two of the same time: which of those is newer is not said.
        entryOf(ageMs + index / 100, { path: `${index}/${isKept ? 'kept' : 'x'}`, bytes, ids: [id] }),
      )
      const part = all.filter((_, index) => ((mask >> index) & 1) === 1)
      const whole = new Set(decide(rule, all, { active }).paths)
      for (const path of decide(rule, part, { active }).paths) expect(whole).toContain(path)
      for (const entry of all) {
        const early = decideByAge(entry, rule, { active, nowMs: NOW, pressure: null })
        if (early !== 'undecided') expect(whole).not.toContain(entry.path)
      }
    },
  )
  fc.assert(property, { numRuns: 500 })
})
