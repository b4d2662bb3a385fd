import { describe, expect, it } from 'vitest'
import { KEEPS_ROWS, type RowRetention } from '../../src/model/retention.ts'
import { type HouseDeps, type PruneScope, WHOLE_HOUSE } from '../../src/prune/house.ts'
import { planHouse } from '../../src/prune/plan-house.ts'
import type { RowPruning } from '../../src/store/store.ts'
import { due, ScriptedHouse } from './scripted-house.ts'

const HOST: RowRetention = {
  messagesMs: 1,
  repliesMs: 2,
  deadLettersMs: 3,
  journalMs: 4,
  runsMs: 5,
  ledgerMs: 6,
  sessionsMs: 7,
}
const OPS: RowRetention = {
  messagesMs: 10,
  repliesMs: 20,
  deadLettersMs: 30,
  journalMs: 40,
  runsMs: null,
  ledgerMs: 60,
  sessionsMs: 70,
}
const NEVER = KEEPS_ROWS

function houseOf(): { house: ScriptedHouse; deps: HouseDeps } {
  const house = new ScriptedHouse()
  house.files.due = [
    due('a'),
    due('b', { group: 'other' }),
    due('c', { className: 'todos', bytes: 7 }),
    due('d', { group: null, session: null }),
  ]
  const figures = {
    ...house.house().figures,
    rows: (): Omit<RowPruning, 'nowMs'> => ({ retention: HOST, groups: new Map([['ops', OPS]]) }),
  }
  return { house, deps: { ...house.house(), figures } }
}

const scope = (classes: readonly string[] | null, group: string | null): PruneScope => ({
  classes: classes === null ? null : new Set(classes),
  group,
})

describe('planning a pruning', () => {
  it('narrows what goes to the classes and the group asked for', async () => {
    const { deps } = houseOf()
    const paths = async (asked: PruneScope) => (await planHouse(deps, asked)).files.removals.map(({ path }) => path)
    expect(await paths(WHOLE_HOUSE)).toEqual(['a', 'b', 'c', 'd'])
    expect(await paths(scope(['todos'], null))).toEqual(['c'])
    expect(await paths(scope(null, 'ops'))).toEqual(['a', 'c'])
    expect(await paths(scope(['debugLogs'], 'other'))).toEqual(['b'])
    expect(await paths(scope(['messages'], null))).toEqual([])
  })

  it('(F4) plans by every rule when one class is asked for: what is left out must not fall to the next rule', async () => {
    const { house, deps } = houseOf()
    await planHouse(deps, scope(['todos'], null))
    expect(house.files.plans[0]?.rules.map(({ name }) => name)).toEqual(['debugLogs'])
  })

  it('goes by the rules of every group there is, or of the one asked for, be it configured or not', async () => {
    const { deps } = houseOf()
    const asked: (readonly string[])[] = []
    const figures: HouseDeps['figures'] = {
      ...deps.figures,
      rules: (groups) => {
        asked.push(groups)
        return deps.figures.rules(groups)
      },
    }
    await planHouse({ ...deps, figures }, WHOLE_HOUSE)
    await planHouse({ ...deps, figures }, scope(null, 'gone'))
    expect(asked).toEqual([['ops'], ['gone']])
  })

  it('sums up anew what is narrowed', async () => {
    const { deps } = houseOf()
    const { files } = await planHouse(deps, scope(['debugLogs'], 'other'))
    expect(files.classes).toMatchObject([{ name: 'debugLogs', removed: { entries: 1, bytes: 1024 } }])
  })

  it.each<[string, PruneScope, Omit<RowPruning, 'nowMs'> | null]>([
    ['all', WHOLE_HOUSE, { retention: HOST, groups: new Map([['ops', OPS]]) }],
    [
      'one class',
      scope(['journal'], null),
      {
        retention: { ...NEVER, journalMs: 4 },
        groups: new Map([['ops', { ...NEVER, journalMs: 40 }]]),
      },
    ],
    ['one group', scope(null, 'ops'), { retention: NEVER, groups: new Map([['ops', OPS]]) }],
    ['a group that has gone', scope(null, 'gone'), { retention: NEVER, groups: new Map([['gone', HOST]]) }],
    ['one class of one group', scope(['runs'], 'ops'), { retention: NEVER, groups: new Map([['ops', NEVER]]) }],
    ['no rows', scope(['debugLogs'], null), null],
  ])('prunes rows of %s, and lets every other stay for ever', async (_, asked, rows) => {
    const { deps } = houseOf()
    const plan = await planHouse(deps, asked)
    expect(plan.rows).toEqual(rows === null ? null : { ...rows, nowMs: plan.nowMs })
  })

  it('leaves the trash and closed sessions alone when they are not asked for', async () => {
    const { house, deps } = houseOf()
    house.closed = [{ archived: 1, bytes: 1, failed: 0, isMore: false }]
    expect((await planHouse(deps, scope(['debugLogs'], null))).closedSessions).toBeNull()
    expect((await planHouse(deps, scope(['closedSessions'], null))).closedSessions).toBe(1)
  })
})
