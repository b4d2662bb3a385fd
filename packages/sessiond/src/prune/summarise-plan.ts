import type { PlannedRemovalLine } from '../api.ts'
import type { PlannedRemoval, PrunePlan, RemovalReason, StayReason } from '../model/artifact.ts'

/** Entries and bytes that a plan removes. */
export interface RemovalSum {
  readonly entries: number
  readonly bytes: number
}

/** Removals of one class for one bound, with the figure most beyond it. */
export interface ReasonSum extends RemovalSum {
  readonly bound: RemovalReason['bound']
  /** The bound: ms, a count, bytes, or a share of the disk. */
  readonly limit: number
  /** The largest age, rank, size or share that was seen beyond it. */
  readonly most: number
}

/** What a plan does to a class, and why. */
export interface ClassSum {
  readonly name: string
  readonly seen: RemovalSum
  readonly removed: RemovalSum
  readonly reasons: readonly ReasonSum[]
  readonly stays: Readonly<Partial<Record<StayReason, number>>>
}

/** What a plan takes from one session; null where entries are a group's, or nobody's. */
export interface OwnerSum extends RemovalSum {
  readonly group: string | null
  readonly session: string | null
}

/** A plan in a size that can be sent and shown, however much it removes. */
export interface PlanSummary {
  readonly plannedAtMs: number
  readonly removed: RemovalSum
  readonly classes: readonly ClassSum[]
  /** Biggest first, so many as are told. */
  readonly sessions: readonly OwnerSum[]
  /** Of those that are not told. */
  readonly otherSessions: RemovalSum & { readonly sessions: number }
  readonly isPartial: boolean
}

const MAX_SESSIONS = 1_000
/** Bounds of one class; each group may have its own. */
const MAX_REASONS = 20

/** A removal as it is told to whoever reads the plan. */
export function lineOfRemoval({ rules }: Pick<PrunePlan, 'rules'>, removal: PlannedRemoval): PlannedRemovalLine {
  const { className, path, isFolder, bytes, files, group, session, epoch, ids, reason } = removal
  const root = rules[removal.rule]?.root ?? ''
  return { className, root, path, isFolder, bytes, files, group, session, epoch, ids, reason }
}

/** Sums a plan up by class and by session; `maxSessions` of them are told one by one. */
export function summarisePlan(plan: PrunePlan, maxSessions: number = MAX_SESSIONS): PlanSummary {
  const sums = newSums()
  for (const removal of plan.removals) add(sums, removal)
  return summaryOf(plan, sums, maxSessions)
}

/** The same of a plan of any size beside other work: a piece at a time, the event loop free in between (D19). */
export async function summariseInPieces(plan: PrunePlan, maxSessions: number = MAX_SESSIONS): Promise<PlanSummary> {
  const sums = newSums()
  for (const [index, removal] of plan.removals.entries()) {
    add(sums, removal)
    if ((index + 1) % PIECE === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return summaryOf(plan, sums, maxSessions)
}

/** Removals summed up in some ten milliseconds at most. */
const PIECE = 10_000

interface Sums {
  readonly reasons: Map<string, Map<string, Map<number, Writable<ReasonSum>>>>
  readonly owners: Map<string | null, Map<string | null, Writable<OwnerSum>>>
}

function newSums(): Sums {
  return { reasons: new Map(), owners: new Map() }
}

function add({ reasons, owners }: Sums, removal: PlannedRemoval): void {
  addReason(reasons, removal)
  addOwner(owners, removal)
}

function summaryOf(plan: PrunePlan, { reasons, owners }: Sums, maxSessions: number): PlanSummary {
  const bySize = [...owners.values()]
    .flatMap((sessions) => [...sessions.values()])
    .sort((a, b) => b.bytes - a.bytes || b.entries - a.entries)
  const others = bySize.slice(maxSessions)
  return {
    plannedAtMs: plan.plannedAtMs,
    removed: sumOf(plan.classes.map(({ removed }) => removed)),
    classes: plan.classes.map(({ name, seen, removed, stays }) => {
      const ofClass = [...(reasons.get(name)?.values() ?? [])].flatMap((limits) => [...limits.values()])
      const told = ofClass.sort((a, b) => b.bytes - a.bytes).slice(0, MAX_REASONS)
      return { name, seen, removed, reasons: told, stays }
    }),
    sessions: bySize.slice(0, maxSessions),
    otherSessions: { sessions: others.length, ...sumOf(others) },
    isPartial: plan.isPartial,
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** The sum of sums. */
export function sumOf(parts: readonly RemovalSum[]): RemovalSum {
  let [entries, bytes] = [0, 0]
  for (const part of parts) {
    entries += part.entries
    bytes += part.bytes
  }
  return { entries, bytes }
}

function addReason(byClass: Sums['reasons'], { className, bytes, reason }: PlannedRemoval): void {
  const { bound } = reason
  const { limit, seen } = figuresOf(reason)
  const ofClass = within(byClass, className, newMap<string, Map<number, Writable<ReasonSum>>>)
  const limits = within(ofClass, bound, newMap<number, Writable<ReasonSum>>)
  const sum = within(limits, limit, () => ({ bound, limit, most: seen, entries: 0, bytes: 0 }))
  sum.most = Math.max(sum.most, seen)
  sum.entries += 1
  sum.bytes += bytes
}

function addOwner(byGroup: Sums['owners'], removal: PlannedRemoval): void {
  const { group, bytes } = removal
  // A foreign tree knows its sessions by the id in a file's name alone.
  const session = removal.session ?? removal.ids[0] ?? null
  const sessions = within(byGroup, group, newMap<string | null, Writable<OwnerSum>>)
  const sum = within(sessions, session, () => ({ group, session, entries: 0, bytes: 0 }))
  sum.entries += 1
  sum.bytes += bytes
}

function within<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

function newMap<Key, Value>(): Map<Key, Value> {
  return new Map()
}

/** The bound of a reason and the figure that is beyond it. */
export function figuresOf(reason: RemovalReason): { readonly limit: number; readonly seen: number } {
  switch (reason.bound) {
    case 'age':
      return { limit: reason.maxAgeMs, seen: reason.ageMs }
    case 'count':
      return { limit: reason.maxCount, seen: reason.rank }
    case 'bytes':
      return { limit: reason.maxBytes, seen: reason.bytesBefore }
    case 'highWater':
      return { limit: reason.highWaterShare, seen: reason.usedShare }
  }
}
