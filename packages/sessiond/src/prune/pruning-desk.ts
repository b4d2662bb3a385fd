import type { PlannedRemovals, Pruning, PruningPlan, PruningRequest } from '../api.ts'
import { FILE_CLASSES } from '../config/config.ts'
import { suggest } from '../config/suggest.ts'
import { SessiondError } from '../model/errors.ts'
import { NO_ROWS, ROW_CLASSES } from '../store/store.ts'
import type { World } from '../world.ts'
import type { HouseOutcome, HouseProgress } from './apply-house.ts'
import { type HouseFigures, type HousePlan, OTHER_CLASSES, type PruneScope } from './house.ts'
import { lineOfRemoval, summariseInPieces, sumOf } from './summarise-plan.ts'

export interface PruningDeskDeps {
  readonly world: World
  readonly figures: HouseFigures
  readonly plan: (scope: PruneScope) => Promise<HousePlan>
  readonly carryOut: (
    plan: HousePlan,
    options: { readonly putsAside: boolean; readonly onProgress: (progress: HouseProgress) => void },
  ) => Promise<HouseOutcome>
  readonly listGroups: () => Promise<readonly string[]>
  /** What a pruning failed of: whoever asks is told no words of a bug. */
  readonly onError: (error: unknown) => void
}

/** A plan of a large house is large too. */
const MAX_PLANS = 2
const PLAN_KEPT_MS = 15 * 60_000
/** So long after it was last asked for, a plan makes room for no other: somebody is at it. */
const PLAN_IN_USE_MS = 60_000
const MAX_PRUNINGS = 20
/** Prunings under way or waiting, each with its plan. */
const MAX_UNDER_WAY = 3
const MAX_PAGE = 10_000
const DEFAULT_PAGE = 1_000

interface KeptPlan {
  readonly plan: HousePlan
  readonly cancelTimer: () => void
  readonly inUseUntilMs: number
}

/** Keeps plans until they are carried out or too old, and tells how prunings get on: both bounded, and in memory alone. */
export class PruningDesk {
  readonly #deps: PruningDeskDeps
  /** The one asked for last comes last. */
  readonly #plans = new Map<string, KeptPlan>()
  readonly #prunings = new Map<string, Pruning>()
  #making = 0
  #underWay = 0
  #isClosed = false

  constructor(deps: PruningDeskDeps) {
    this.#deps = deps
  }

  /** BAD_REQUEST for a class there is not, GROUP_UNKNOWN; PRUNE_BUSY while others are at all plans that are kept. */
  async plan(request: PruningRequest): Promise<PruningPlan> {
    const { world, plan: makePlan } = this.#deps
    const scope = await this.#scopeOf(request)
    this.#makeRoom()
    this.#making += 1
    const plan = await makePlan(scope).finally(() => {
      this.#making -= 1
    })
    if (this.#isClosed) throw new SessiondError('HOST_STOPPING', 'The host is stopping.')
    const cancelTimer = world.setTimer(PLAN_KEPT_MS, () => this.#drop(plan.id))
    this.#keep({ plan, cancelTimer, inUseUntilMs: world.monotonicMs() + PLAN_IN_USE_MS })
    return describePlan(plan)
  }

  /** Removals of a plan from `after` on; who has read the last is done with it. NOT_FOUND. */
  listRemovals({ planId, after = 0, limit = DEFAULT_PAGE }: Parameters<ListRemovals>[0]): PlannedRemovals {
    const page = pageOf(this.#take(planId), after, Math.min(limit, MAX_PAGE))
    if (page.next === null) this.#touch(planId, 0)
    return page
  }

  /** Begins to carry a plan out; it is used up by that. NOT_FOUND, PRUNE_BUSY when several wait already. */
  start(planId: string, putsAside: boolean): Pruning {
    const plan = this.#take(planId)
    if (this.#underWay >= MAX_UNDER_WAY) throw new SessiondError('PRUNE_BUSY', 'Several prunings wait already.')
    this.#drop(planId)
    const begun: Pruning = { id: planId, state: 'running', progress: nothingYet(plan), error: null, outcome: null }
    this.#tell(begun)
    void this.#carryOut(plan, putsAside)
    return begun
  }

  /** Forgets every plan. Idempotent. */
  close(): void {
    this.#isClosed = true
    for (const id of [...this.#plans.keys()]) this.#drop(id)
  }

  /** NOT_FOUND. */
  read(id: string): Pruning {
    const pruning = this.#prunings.get(id)
    if (pruning === undefined) throw notFound('pruning', id)
    return pruning
  }

  async #carryOut(plan: HousePlan, putsAside: boolean): Promise<void> {
    const { id } = plan
    this.#underWay += 1
    let progress = nothingYet(plan)
    const onProgress = (next: HouseProgress) => {
      progress = next
      this.#tell({ id, state: 'running', progress, error: null, outcome: null })
    }
    try {
      const outcome = await this.#deps.carryOut(plan, { putsAside, onProgress })
      const { stoppedAt, isMore, trashFolder, error, goOnWith: _, rowsFrom: __, ...reached } = outcome
      if (error !== null) this.#deps.onError(error)
      this.#tell({
        id,
        state: error === null ? 'finished' : 'failed',
        progress: { ...reached, stage: null },
        error: error === null ? null : describeError(error),
        outcome: { stoppedAt, isMore, trashFolder },
      })
    } catch (error) {
      this.#deps.onError(error)
      this.#tell({ id, state: 'failed', progress, error: describeError(error), outcome: null })
    } finally {
      this.#underWay -= 1
    }
  }

  #tell(pruning: Pruning): void {
    this.#prunings.set(pruning.id, pruning)
    const [oldest] = this.#prunings.keys()
    if (this.#prunings.size > MAX_PRUNINGS && oldest !== undefined) this.#prunings.delete(oldest)
  }

  async #scopeOf({ classes, group }: PruningRequest): Promise<PruneScope> {
    const { figures, listGroups } = this.#deps
    return scopeOf({ classes, group }, figures, await listGroups())
  }

  #take(planId: string): HousePlan {
    const kept = this.#touch(planId, PLAN_IN_USE_MS)
    if (kept === undefined) throw notFound('plan', planId)
    return kept.plan
  }

  #touch(planId: string, inUseMs: number): KeptPlan | undefined {
    const kept = this.#plans.get(planId)
    if (kept !== undefined) this.#keep({ ...kept, inUseUntilMs: this.#deps.world.monotonicMs() + inUseMs })
    return kept
  }

  #keep(kept: KeptPlan): void {
    this.#plans.delete(kept.plan.id)
    this.#plans.set(kept.plan.id, kept)
  }

  #makeRoom(): void {
    const nowMs = this.#deps.world.monotonicMs()
    const idle = [...this.#plans.values()].filter(({ inUseUntilMs }) => inUseUntilMs <= nowMs)
    const excess = this.#plans.size + this.#making - MAX_PLANS + 1
    if (excess > idle.length) {
      throw new SessiondError('PRUNE_BUSY', 'Others are at the plans that are kept.', {
        cure: 'Try again in a minute.',
      })
    }
    for (const { plan } of idle.slice(0, Math.max(0, excess))) this.#drop(plan.id)
  }

  #drop(planId: string): void {
    this.#plans.get(planId)?.cancelTimer()
    this.#plans.delete(planId)
  }
}

type ListRemovals = (query: { planId: string; after?: number; limit?: number }) => PlannedRemovals

/** What a request takes in; throws GROUP_UNKNOWN or BAD_REQUEST for what there is not, naming the likely one. */
export function scopeOf(
  { classes, group }: { readonly classes?: readonly string[] | undefined; readonly group?: string | undefined },
  figures: HouseFigures,
  groups: readonly string[],
): PruneScope {
  if (group !== undefined && !groups.includes(group)) {
    const shown = group.slice(0, 80)
    throw new SessiondError('GROUP_UNKNOWN', `There is no group ${JSON.stringify(shown)}, and nothing of one.`, {
      fields: { field: 'group', group: shown },
      cure: hintOf(shown, groups),
    })
  }
  const rules = figures.rules(group === undefined ? groups : [group])
  // One that is switched off is there too: nothing of it goes.
  const files = new Set([...FILE_CLASSES, 'archives', ...rules.map(({ name }) => name)])
  const known = [...files, ...ROW_CLASSES, ...OTHER_CLASSES]
  const unknown = classes?.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const shown = unknown.slice(0, 60)
    throw new SessiondError('BAD_REQUEST', `There is no class ${JSON.stringify(shown)}.`, {
      fields: { field: 'classes', class: shown },
      cure: hintOf(shown, known),
    })
  }
  return { classes: classes === undefined || classes.length === 0 ? null : new Set(classes), group: group ?? null }
}

const NAMED = 20

function hintOf(shown: string, known: readonly string[]): string {
  const likely = suggest(shown, known)
  const rest = known.length > NAMED ? ' …' : ''
  return likely === undefined ? `Known are ${known.slice(0, NAMED).join(', ')}${rest}.` : `Did you mean ${likely}?`
}

/** A plan in a size that can be sent and shown. */
export async function describePlan(plan: HousePlan): Promise<PruningPlan> {
  return {
    id: plan.id,
    ...(await summariseInPieces(plan.files)),
    rows: plan.rowsFound.rows,
    areRowsWhole: plan.rowsFound.isWhole,
    closedSessions: plan.closedSessions,
    trash: sumOf(plan.trash.classes.map(({ removed }) => removed)),
  }
}

/** Removals of a plan from `after` on, `limit` at most. */
export function pageOf({ files }: HousePlan, after: number, limit: number): PlannedRemovals {
  const removals = files.removals.slice(after, after + limit).map((removal) => lineOfRemoval(files, removal))
  const next = after + removals.length
  return { removals, next: next < files.removals.length ? next : null }
}

function nothingYet(plan: HousePlan): HouseProgress {
  return {
    stage: 'closedSessions',
    classes: [],
    looked: 0,
    planned: plan.files.removals.length,
    rows: NO_ROWS,
    closedSessions: { archived: 0, bytes: 0, failed: 0 },
    trash: { entries: 0, bytes: 0 },
  }
}

/** An error as programs are told of it with what was done. */
export function describeError(error: unknown): { code: string; message: string } {
  const code = error instanceof SessiondError ? error.code : 'INTERNAL'
  // The words of a bug are for the log.
  return { code, message: error instanceof SessiondError ? error.message : 'The pruning broke off unexpectedly.' }
}

function notFound(what: 'plan' | 'pruning', id: string): SessiondError {
  return new SessiondError('NOT_FOUND', `There is no ${what} ${JSON.stringify(id.slice(0, 80))} (any more).`, {
    fields: { id: id.slice(0, 80) },
    cure: 'Plan anew with `sessiond prune`: a plan is kept 15 minutes, or until it is carried out.',
  })
}
