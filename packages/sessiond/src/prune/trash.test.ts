import { describe, expect, it } from 'vitest'
import type { PlannedRemoval, PrunePlan } from '../model/artifact.ts'
import type { ArtifactFiles, PlanRequest } from './artifact-files.ts'
import { planTrash, stampOf, trashFolder } from './trash.ts'

const DAY_MS = 86_400_000
const NOW = Date.UTC(2030, 0, 31, 9, 5, 7, 250)

/** Finds every folder it is asked for, whatever its age. */
function findingFiles(asked: PlanRequest[]): ArtifactFiles {
  return {
    async plan(request): Promise<PrunePlan> {
      asked.push(request)
      const [rule] = request.rules
      const removals = (rule?.patterns ?? []).map((pattern) => ({ path: pattern.slice(0, -1) }) as PlannedRemoval)
      return { plannedAtMs: request.nowMs, rules: request.rules, removals, classes: [], isPartial: false }
    },
    apply: () => Promise.reject(new Error('only planned')),
    close: async () => {},
  }
}

describe('stampOf', () => {
  it('reads back what trashFolder wrote, to the second', () => {
    const name = trashFolder(NOW, 'prune-abc')
    expect(name).toBe('20300131T090507Z-prune-abc')
    expect(stampOf(name)).toBe(Date.UTC(2030, 0, 31, 9, 5, 7))
  })

  it.each([
    '20300131T090507Z',
    '20300131T090507Z-',
    '20301331T090507Z-a',
    '20300131T250507Z-a',
    '20300131T090507-a',
    'x20300131T090507Z-a',
    '20300131T090507Z-a/..',
    '20300131T090507Z-..',
    '20300131T090507Z-*',
    '20300131T090507Z-{id}',
    '20300131T090507Z-a\nb',
    `20300131T090507Z-${'a'.repeat(200)}`,
    'repair',
    '',
  ])('takes %j for none of ours', (name) => {
    expect(stampOf(name)).toBeNull()
  })
})

describe('planTrash', () => {
  const old = trashFolder(NOW - 8 * DAY_MS, 'a')
  const edge = trashFolder(NOW - 7 * DAY_MS, 'b')
  const young = trashFolder(NOW - DAY_MS, 'c')
  const ahead = trashFolder(NOW + 400 * DAY_MS, 'd')
  const plan = (names: readonly string[], asked: PlanRequest[] = []) =>
    planTrash(findingFiles(asked), { dataDir: '/data', names }, { nowMs: NOW, keptMs: 7 * DAY_MS })

  it('takes what has lain there too long by its name, and nothing else', async () => {
    const asked: PlanRequest[] = []
    const { removals, plannedAtMs } = await plan([young, 'mine', ahead, edge, old], asked)
    expect(removals.map(({ path }) => path)).toEqual([old, edge])
    expect(asked[0]?.rules).toMatchObject([{ root: '/data/trash', patterns: [`${old}/`, `${edge}/`] }])
    expect(plannedAtMs).toBe(NOW)
    // By the stamp, not by the dates of what lies in it.
    expect(removals[0]?.reason).toEqual({ bound: 'age', ageMs: 8 * DAY_MS + 250, maxAgeMs: 7 * DAY_MS })
  })

  it('(F6) goes on with one whose removal was broken off', async () => {
    const asked: PlanRequest[] = []
    await plan([`.sessiond-pruning.${old}`, edge, `.sessiond-pruning.${edge}`, `.sessiond-pruning.${young}`], asked)
    expect(asked[0]?.rules[0]?.patterns).toEqual([`${old}/`, `${edge}/`])
  })

  it('looks at nothing when nothing is due', async () => {
    const asked: PlanRequest[] = []
    expect(await plan([young, ahead, 'mine'], asked)).toMatchObject({ removals: [], isPartial: false })
    expect(asked).toEqual([])
  })

  it('takes the oldest of very many, and says that there is more', async () => {
    const names = Array.from({ length: 250 }, (_, index) => trashFolder(NOW - (300 - index) * DAY_MS, `t${index}`))
    const { removals, isPartial } = await plan([...names].reverse())
    expect(removals).toHaveLength(200)
    expect(removals[0]?.path).toBe(names[0])
    expect(isPartial).toBe(true)
  })
})
