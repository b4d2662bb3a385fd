import type { Pressure } from '../decide/decide-under-pressure.ts'
import type { PlannedRemoval, PrunePlan } from '../model/artifact.ts'
import { KEEPS_ROWS, type RowRetention } from '../model/retention.ts'
import { type CountedRows, NO_ROWS, ROW_CLASSES, type RowPruning } from '../store/store.ts'
import type { PlanRequest } from './artifact-files.ts'
import { type HouseDeps, type HousePlan, hasClass, type PruneScope, WHOLE_HOUSE } from './house.ts'
import { planTrash } from './trash.ts'

/** Rows of a class, and closed sessions, counted for a plan at most, and for so long. */
const COUNTED = 100_000
const COUNTED_FOR_MS = 10_000

const NOT_COUNTED: CountedRows = { rows: NO_ROWS, isWhole: true }

/**
 * Decides what one pruning of the host's own does; changes nothing. What cannot be planned is left out, its error told.
 * It rests until `mayGoOn` answers; after a false it holds the files seen so far. Rows and closed sessions are not
 * counted: that takes as long as removing them.
 */
export function planCleaning(
  deps: HouseDeps,
  pressure: Pressure | null,
  { mayGoOn, onError }: { readonly mayGoOn: () => Promise<boolean>; readonly onError: (error: unknown) => void },
): Promise<HousePlan> {
  return plan(deps, WHOLE_HOUSE, pressure, { onError, mayGoOn, counts: false })
}

/** Decides what a pruning that a person asks for does, and counts it; changes nothing. Throws what stands in the way. */
export function planHouse(deps: HouseDeps, scope: PruneScope): Promise<HousePlan> {
  const onError = (error: unknown) => {
    throw error
  }
  return plan(deps, scope, null, { onError, mayGoOn: async () => true, counts: true })
}

async function plan(
  deps: HouseDeps,
  scope: PruneScope,
  pressure: Pressure | null,
  { onError, mayGoOn, counts }: Parameters<typeof planCleaning>[2] & { readonly counts: boolean },
): Promise<HousePlan> {
  const { world, store, closed } = deps
  const nowMs = world.now()
  const part = async <Part>(plan: () => Promise<Part>, without: Part): Promise<Part> => {
    try {
      return await plan()
    } catch (error) {
      onError(error)
      return without
    }
  }
  const rows = rowsOf(deps, scope, nowMs)
  const { group } = scope
  const untilMs = world.monotonicMs() + COUNTED_FOR_MS
  const limits = { rows: COUNTED, mayGoOn: () => world.monotonicMs() < untilMs }
  return {
    id: world.newId('prune-'),
    nowMs,
    scope,
    files: await part(() => planFiles(deps, scope, { nowMs, pressure, mayGoOn }), noFiles(nowMs)),
    trash: await part(() => planOldTrash(deps, scope, nowMs), noFiles(nowMs)),
    rows,
    rowsFound:
      rows === null || !counts ? NOT_COUNTED : await part(() => store.countPrunableRows(rows, limits), NOT_COUNTED),
    closedSessions: hasClass(scope, 'closedSessions')
      ? await part(async () => (counts ? closed.count({ nowMs, group, limit: COUNTED }) : 0), 0)
      : null,
  }
}

/** The part of it that concerns files. */
async function planFiles(
  deps: HouseDeps,
  scope: PruneScope,
  asked: Required<Pick<PlanRequest, 'nowMs' | 'pressure' | 'mayGoOn'>>,
): Promise<PrunePlan> {
  const { files, store, figures } = deps
  const groups = scope.group === null ? await deps.listGroups() : [scope.group]
  // All rules whatever classes are asked for: without the first that fits an entry, the next would take it.
  const { active } = await store.readActiveReferences()
  return narrowed(await files.plan({ rules: figures.rules(groups), active, ...asked }), scope)
}

/** What has lain in the trash long enough. */
async function planOldTrash(deps: HouseDeps, scope: PruneScope, nowMs: number): Promise<PrunePlan> {
  const { files, dataDir, trashMs, listTrash } = deps
  if (!hasClass(scope, 'trash') || scope.group !== null) {
    return noFiles(nowMs)
  }
  return planTrash(files, { dataDir, names: await listTrash() }, { nowMs, keptMs: trashMs })
}

function noFiles(nowMs: number): PrunePlan {
  return { plannedAtMs: nowMs, rules: [], removals: [], classes: [], isPartial: false }
}

/** What a pruning of rows goes by; what is not asked for stays for ever. Null: no rows at all are asked for. */
function rowsOf({ figures }: HouseDeps, scope: PruneScope, nowMs: number): RowPruning | null {
  if (!ROW_CLASSES.some((name) => hasClass(scope, name))) return null
  const { retention, groups } = figures.rows()
  const { group } = scope
  if (group === null) {
    const narrowedGroups = new Map([...groups].map(([name, each]) => [name, only(each, scope)]))
    return { nowMs, retention: only(retention, scope), groups: narrowedGroups }
  }
  return { nowMs, retention: KEEPS_ROWS, groups: new Map([[group, only(groups.get(group) ?? retention, scope)]]) }
}

function only(retention: RowRetention, scope: PruneScope): RowRetention {
  const kept = ROW_CLASSES.filter((name) => !hasClass(scope, name)).map((name) => [`${name}Ms`, null])
  return { ...retention, ...Object.fromEntries(kept) }
}

/** Of a whole plan what the scope takes in. */
function narrowed(plan: PrunePlan, scope: PruneScope): PrunePlan {
  const { classes, group } = scope
  if (classes === null && group === null) return plan
  const isAsked = (removal: PlannedRemoval) =>
    hasClass(scope, removal.className) && (group === null || removal.group === group)
  const removals = plan.removals.filter(isAsked)
  const sums = new Map<string, { entries: number; bytes: number }>()
  for (const { className, bytes } of removals) {
    const { entries, bytes: before } = sums.get(className) ?? { entries: 0, bytes: 0 }
    sums.set(className, { entries: entries + 1, bytes: before + bytes })
  }
  return {
    ...plan,
    removals,
    classes: plan.classes
      .filter(({ name }) => hasClass(scope, name))
      .map((each) => ({ ...each, removed: sums.get(each.name) ?? { entries: 0, bytes: 0 } })),
  }
}
