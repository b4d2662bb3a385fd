import { FakeWorld, settle } from '@sessiond/testkit'
import { describe, expect, it } from 'vitest'
import { SessiondError } from '../../src/model/errors.ts'
import type { HouseOutcome, HouseProgress } from '../../src/prune/apply-house.ts'
import type { HousePlan, PruneScope } from '../../src/prune/house.ts'
import { PruningDesk } from '../../src/prune/pruning-desk.ts'
import { NO_ROWS } from '../../src/store/store.ts'
import { due, MINUTE_MS, ScriptedHouse } from './scripted-house.ts'

const REACHED: HouseProgress = {
  stage: null,
  classes: [{ name: 'debugLogs', removed: { entries: 5, bytes: 50 }, stays: {} }],
  looked: 5,
  planned: 5,
  rows: NO_ROWS,
  closedSessions: { archived: 0, bytes: 0, failed: 0 },
  trash: { entries: 0, bytes: 0 },
}
const OUTCOME: HouseOutcome = {
  ...REACHED,
  stoppedAt: null,
  goOnWith: null,
  rowsFrom: null,
  isMore: false,
  error: null,
  trashFolder: null,
}

/** A desk whose plans hold five removals, and whose prunings end when a test says so. */
class DeskFixture {
  readonly world = new FakeWorld()
  readonly scopes: PruneScope[] = []
  readonly errors: unknown[] = []
  readonly carried: { plan: HousePlan; end(outcome: HouseOutcome | Error): void }[] = []
  readonly desk: PruningDesk
  #plans = 0

  constructor() {
    const { figures } = new ScriptedHouse().house()
    this.desk = new PruningDesk({
      world: this.world,
      figures,
      listGroups: async () => ['ops'],
      onError: (error) => this.errors.push(error),
      plan: async (scope) => {
        this.scopes.push(scope)
        this.#plans += 1
        return planOf(`prune-${this.#plans}`, scope)
      },
      carryOut: (plan) =>
        new Promise((resolve, reject) => {
          const end = (outcome: HouseOutcome | Error) => (outcome instanceof Error ? reject(outcome) : resolve(outcome))
          this.carried.push({ plan, end })
        }),
    })
  }
}

function planOf(id: string, scope: PruneScope): HousePlan {
  const removals = Array.from({ length: 5 }, (_, index) => due(`f${index}`))
  const none = { plannedAtMs: 0, rules: [], removals: [], classes: [], isPartial: false }
  return {
    id,
    nowMs: 0,
    scope,
    files: { ...none, removals },
    trash: none,
    rows: null,
    rowsFound: { rows: NO_ROWS, isWhole: true },
    closedSessions: 0,
  }
}

describe('the desk of prunings', () => {
  it('tells the removals of a plan in pages, and the last as the last', async () => {
    const { desk } = new DeskFixture()
    const { id } = await desk.plan({})
    const paths: string[] = []
    for (let after: number | null = 0; after !== null; ) {
      const page = desk.listRemovals({ planId: id, after, limit: 2 })
      paths.push(...page.removals.map(({ path }) => path))
      after = page.next
    }
    expect(paths).toEqual(['f0', 'f1', 'f2', 'f3', 'f4'])
    expect(desk.listRemovals({ planId: id, after: 5 })).toEqual({ removals: [], next: null })
    expect(desk.listRemovals({ planId: id, after: 9_999 })).toEqual({ removals: [], next: null })
  })

  it('carries a plan out once, and never one that is too old', async () => {
    const { desk, carried, world } = new DeskFixture()
    const [first, second] = [await desk.plan({}), await desk.plan({})]
    expect(desk.start(first.id, false)).toMatchObject({ id: first.id, state: 'running' })
    expect(() => desk.start(first.id, false)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    await world.advance(15 * MINUTE_MS)
    expect(() => desk.start(second.id, false)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    expect(carried.map(({ plan }) => plan.id)).toEqual([first.id])
    // Nothing of it is kept, whether anybody asks or not.
    expect(world.timerCount()).toBe(0)
  })

  it('keeps few plans, whoever asks how often, and takes up few prunings at once', async () => {
    const { desk, carried, world } = new DeskFixture()
    const ids: string[] = []
    for (let each = 0; each < 50; each += 1) {
      ids.push((await desk.plan({})).id)
      await world.advance(MINUTE_MS)
    }
    expect(() => desk.listRemovals({ planId: ids[47] ?? '' })).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    for (const id of ids.slice(48)) desk.listRemovals({ planId: id })
    for (let each = 0; each < 3; each += 1) desk.start((await desk.plan({})).id, false)
    const { id } = await desk.plan({})
    expect(() => desk.start(id, false)).toThrow(expect.objectContaining({ code: 'PRUNE_BUSY' }))
    carried[0]?.end(OUTCOME)
    await settle()
    // Refused is not used up.
    expect(desk.start(id, false).state).toBe('running')
  })

  it('drops no plan that somebody is at: who comes third is told to wait', async () => {
    const { desk, world, scopes } = new DeskFixture()
    const [first, second] = [await desk.plan({}), await desk.plan({})].map(({ id }) => id)
    const page = { planId: first ?? '', limit: 2 }
    await expect(desk.plan({})).rejects.toMatchObject({ code: 'PRUNE_BUSY', retryable: true })
    // Nothing was planned for nothing.
    expect(scopes).toHaveLength(2)
    await world.advance(MINUTE_MS - 1)
    expect(desk.listRemovals(page).removals).toHaveLength(2)
    await world.advance(1)
    // Nobody has been at the second for a minute.
    await desk.plan({})
    expect(() => desk.start(second ?? '', false)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    expect(desk.listRemovals({ ...page, after: 2 }).next).toBe(4)
    await expect(desk.plan({})).rejects.toMatchObject({ code: 'PRUNE_BUSY' })
    // Read to its end.
    expect(desk.listRemovals({ ...page, after: 4 }).next).toBe(null)
    await desk.plan({})
  })

  it('counts plans that are still being made', async () => {
    const { desk } = new DeskFixture()
    const made = await Promise.allSettled([desk.plan({}), desk.plan({}), desk.plan({})])
    expect(made.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  })

  it('lets go of its plans when it is closed, and makes none that nobody could carry out', async () => {
    const { desk, world } = new DeskFixture()
    const { id } = await desk.plan({})
    const late = desk.plan({})
    desk.close()
    await expect(late).rejects.toMatchObject({ code: 'HOST_STOPPING' })
    expect(() => desk.start(id, false)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    expect(world.timerCount()).toBe(0)
  })

  it('says how a pruning ended, and keeps the words of a bug for the log', async () => {
    const { desk, carried, errors } = new DeskFixture()
    const ids = [await desk.plan({}), await desk.plan({})].map(({ id }) => desk.start(id, true).id)
    carried[0]?.end({ ...OUTCOME, error: new SessiondError('PRUNE_FAILED', 'It broke off.') })
    carried[1]?.end(new TypeError('secret words'))
    await settle()
    const [failed, broken] = ids.map((id) => desk.read(id))
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'PRUNE_FAILED' }, progress: { looked: 5 } })
    expect(broken).toMatchObject({ state: 'failed', error: { code: 'INTERNAL' }, outcome: null })
    expect(JSON.stringify(broken)).not.toContain('secret')
    expect(errors).toHaveLength(2)
    expect(() => desk.read('prune-99')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  })

  it('takes classes of files, rows and the others, and names the likely one of a mistyped', async () => {
    const { desk, scopes } = new DeskFixture()
    await desk.plan({ classes: ['debugLogs', 'messages', 'trash', 'closedSessions'], group: 'ops' })
    expect(scopes).toEqual([{ classes: new Set(['debugLogs', 'messages', 'trash', 'closedSessions']), group: 'ops' }])
    await expect(desk.plan({ classes: ['debuglogs'] })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      cure: 'Did you mean debugLogs?',
    })
    await expect(desk.plan({ classes: ['__proto__'] })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    expect(scopes).toHaveLength(1)
  })

  it('takes a shipped class that is switched off for one of which nothing goes', async () => {
    const { desk, scopes } = new DeskFixture()
    await desk.plan({ classes: ['telemetry', 'archives'] })
    expect(scopes).toEqual([{ classes: new Set(['telemetry', 'archives']), group: null }])
  })

  it('names the likely group of a mistyped one, or those there are', async () => {
    const { desk, scopes } = new DeskFixture()
    await expect(desk.plan({ group: 'opps' })).rejects.toMatchObject({
      code: 'GROUP_UNKNOWN',
      cure: 'Did you mean ops?',
    })
    await expect(desk.plan({ group: 'research' })).rejects.toMatchObject({ cure: 'Known are ops.' })
    expect(scopes).toEqual([])
  })
})
