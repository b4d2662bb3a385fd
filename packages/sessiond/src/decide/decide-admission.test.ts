import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideAdmission, type Occupant } from './decide-admission.ts'

const policy = { maxRuns: 3, maxStarting: 3, isBelowDiskFloor: false }

function waiting(...ids: string[]) {
  return ids.map((sessionId, index) => ({ sessionId, group: sessionId[0] ?? '', oldestDueAtMs: index }))
}

function busy(...ids: string[]): Occupant[] {
  return ids.map((sessionId) => ({ sessionId, group: sessionId[0] ?? '', idleForMs: null, isLeaving: false }))
}

describe('decideAdmission with accounts that are held back', () => {
  const sessions = [
    { sessionId: 'a/late', group: 'a', oldestDueAtMs: 9 },
    { sessionId: 'b/early', group: 'b', oldestDueAtMs: 1 },
    { sessionId: 'b/late', group: 'b', oldestDueAtMs: 5 },
    { sessionId: 'c/other', group: 'c', oldestDueAtMs: 7 },
  ]
  const accountOf = (group: string) => (group === 'c' ? 'own' : 'shared')
  const start = (room: number, occupants: Occupant[] = []) =>
    decideAdmission(sessions, occupants, 0, policy, { accountOf, rooms: new Map([['shared', room]]) }).start

  it.each<[number, string[]]>([
    [-1, ['c/other']],
    [0, ['c/other']],
    [1, ['b/early', 'c/other']],
    [2, ['b/early', 'c/other', 'b/late']],
    [3, ['b/early', 'c/other', 'a/late']],
    [Number.POSITIVE_INFINITY, ['b/early', 'c/other', 'a/late']],
  ])('with room for %i starts as many of them, the oldest due of all their groups', (room, started) => {
    expect(start(room)).toEqual(started)
  })

  it('gives that place to the oldest due, also of a group that has runs', () => {
    expect(start(1, busy('b/0'))).toEqual(['c/other', 'b/early'])
  })

  it('stops no idle run for sessions that could not begin all the same', () => {
    const idle: Occupant[] = ['x/1', 'x/2', 'x/3'].map((sessionId) => {
      return { sessionId, group: 'x', idleForMs: 5, isLeaving: false }
    })
    const rooms = new Map([['shared', 0]])
    expect(decideAdmission(sessions, idle, 0, policy, { accountOf, rooms }).evict).toEqual(['x/1'])
  })
})

describe('decideAdmission', () => {
  it('starts the oldest due first', () => {
    const sessions = [
      { sessionId: 'a/late', group: 'a', oldestDueAtMs: 9 },
      { sessionId: 'a/early', group: 'a', oldestDueAtMs: 1 },
    ]
    expect(decideAdmission(sessions, [], 0, policy).start).toEqual(['a/early', 'a/late'])
  })

  it('(D16) gives a group with no run its slot before a group that has some', () => {
    expect(decideAdmission(waiting('a/1', 'a/2', 'b/1'), busy('a/0'), 0, policy).start).toEqual(['b/1', 'a/1'])
  })

  it('takes turns among groups that wait alike', () => {
    expect(decideAdmission(waiting('a/1', 'a/2', 'b/1', 'b/2'), [], 0, policy).start).toEqual(['a/1', 'b/1', 'a/2'])
  })

  it.each([
    [2, 1],
    [3, 0],
    [4, 0],
  ])('with %i of 3 slots taken starts %i', (taken, started) => {
    const occupants = busy(...Array.from({ length: taken }, (_, index) => `x/${index}`))
    expect(decideAdmission(waiting('a/1', 'a/2'), occupants, 0, policy).start).toHaveLength(started)
  })

  it('below the disk floor starts nobody, and stops no idle run for those who wait', () => {
    const idle = [{ sessionId: 'x/idle', group: 'x', idleForMs: 9, isLeaving: false }]
    const below = { ...policy, maxRuns: 1, isBelowDiskFloor: true }
    expect(decideAdmission(waiting('a/1'), [], 0, below)).toEqual({ start: [], evict: [] })
    expect(decideAdmission(waiting('a/1'), idle, 0, below)).toEqual({ start: [], evict: [] })
    // The same with room on the disk, so that it is the disk that decided.
    expect(decideAdmission(waiting('a/1'), idle, 0, { ...below, isBelowDiskFloor: false }).evict).toEqual(['x/idle'])
  })

  it('bounds starts under way apart from slots', () => {
    expect(decideAdmission(waiting('a/1', 'a/2'), [], 2, policy).start).toHaveLength(1)
  })

  it('evicts as many idle runs as are missing, longest idle first, never a busy one', () => {
    const occupants = [
      { sessionId: 'x/short', group: 'x', idleForMs: 1, isLeaving: false },
      { sessionId: 'x/long', group: 'x', idleForMs: 9, isLeaving: false },
      { sessionId: 'x/busy', group: 'x', idleForMs: null, isLeaving: false },
    ]
    expect(decideAdmission(waiting('a/1'), occupants, 0, policy)).toEqual({ start: [], evict: ['x/long'] })
  })

  it.each([
    [1, []],
    [2, ['x/idle']],
  ])('with %i waiting and one run on its way out evicts %j', (waitingCount, evicted) => {
    const occupants = [
      { sessionId: 'x/idle', group: 'x', idleForMs: 9, isLeaving: false },
      { sessionId: 'x/stopping', group: 'x', idleForMs: null, isLeaving: true },
      ...busy('x/busy'),
    ]
    const sessions = waiting('a/1', 'a/2').slice(0, waitingCount)
    expect(decideAdmission(sessions, occupants, 0, policy).evict).toEqual(evicted)
  })

  it('never exceeds the cap and never starts a session twice', () => {
    const session = fc.record({
      sessionId: fc.stringMatching(/^[abc]\/[0-9]{1,3}$/),
      oldestDueAtMs: fc.nat(),
    })
    const arbitrary = fc.uniqueArray(session, { selector: (each) => each.sessionId, maxLength: 50 })
    fc.assert(
      fc.property(arbitrary, fc.nat({ max: 20 }), fc.nat({ max: 20 }), (sessions, max, taken) => {
        const queue = sessions.map((each) => ({ ...each, group: each.sessionId[0] ?? '' }))
        const occupants = busy(...Array.from({ length: taken }, (_, index) => `z/${index}`))
        const { start } = decideAdmission(queue, occupants, 0, {
          maxRuns: max,
          maxStarting: max,
          isBelowDiskFloor: false,
        })
        expect(start.length + taken).toBeLessThanOrEqual(Math.max(max, taken))
        expect(new Set(start).size).toBe(start.length)
        expect(start.length).toBe(Math.min(queue.length, Math.max(0, max - taken)))
      }),
    )
  })
})
