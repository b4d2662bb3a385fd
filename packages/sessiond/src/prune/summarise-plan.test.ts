import { describe, expect, it } from 'vitest'
import type { PlannedRemoval, PrunePlan } from '../model/artifact.ts'
import { summariseInPieces, summarisePlan } from './summarise-plan.ts'

function planOf(count: number): PrunePlan {
  const removals = Array.from({ length: count }, (_, index): PlannedRemoval => {
    const reason = { bound: 'age', ageMs: index, maxAgeMs: index % 3 } as const
    const identity = { dev: '1', ino: String(index), mtimeMs: 0, bytes: 1, looks: 1 }
    const named = { group: 'ops', session: `s${index % 7}`, epoch: null, ids: [] }
    return {
      className: 'todos',
      rule: 0,
      path: `${index}`,
      isFolder: false,
      bytes: 2,
      files: 1,
      ...named,
      reason,
      identity,
    }
  })
  const removed = { entries: count, bytes: 2 * count }
  return {
    plannedAtMs: 5,
    rules: [],
    removals,
    classes: [{ name: 'todos', seen: removed, removed, stays: {} }],
    isPartial: false,
  }
}

describe('summing a plan up', () => {
  it.each([0, 1, 9_999, 10_000, 10_001, 25_000])('of %i removals loses none and counts none twice', async (count) => {
    const plan = planOf(count)
    const summary = summarisePlan(plan)
    expect(await summariseInPieces(plan)).toEqual(summary)
    expect(summary.sessions.reduce((sum, { entries }) => sum + entries, 0)).toBe(count)
    expect(summary.classes[0]?.reasons.reduce((sum, { entries }) => sum + entries, 0)).toBe(count)
  })

  it('(D19) leaves the event loop free in between', async () => {
    const plan = planOf(50_000)
    let turns = 0
    let isDone = false
    const turn = () => {
      turns += 1
      if (!isDone) setImmediate(turn)
    }
    setImmediate(turn)
    await summariseInPieces(plan)
    isDone = true
    expect(turns).toBeGreaterThanOrEqual(4)
  })

  it('tells so many sessions and sums up the others', () => {
    const { sessions, otherSessions } = summarisePlan(planOf(70), 2)
    expect(sessions).toHaveLength(2)
    expect(otherSessions).toEqual({ sessions: 5, entries: 50, bytes: 100 })
  })
})
