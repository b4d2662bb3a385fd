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

/** Sums a plan up by class and by session; `maxSessions` of them are told one by one. */
export function summarisePlan(plan: PrunePlan, maxSessions: number = MAX_SESSIONS): PlanSummary {
  const reasons = new Map<string, Map<string, ReasonSum>>()
  const owners = new Map<string, OwnerSum>()
  for (const removal of plan.removals) {
    addReason(reasons, removal)
    addOwner(owners, removal)
  }
  const bySize = [...owners.values()].sort((a, b) => b.bytes - a.bytes || b.entries - a.entries)
  const others = bySize.slice(maxSessions)
  return {
    plannedAtMs: plan.plannedAtMs,
    removed: sumOf(plan.classes.map(({ removed }) => removed)),
    classes: plan.classes.map(({ name, seen, removed, stays }) => {
      const all = [...(reasons.get(name)?.values() ?? [])].sort((a, b) => b.bytes - a.bytes)
      return { name, seen, removed, reasons: all.slice(0, MAX_REASONS), stays }
    }),
    sessions: bySize.slice(0, maxSessions),
    otherSessions: { sessions: others.length, ...sumOf(others) },
    isPartial: plan.isPartial,
  }
}

/** The sum of sums. */
export function sumOf(parts: readonly RemovalSum[]): RemovalSum {
  let [entries, bytes] = [0, 0]
  for (const part of parts) {
    entries += part.entries
    bytes += part.bytes
  }
  return { entries, bytes }
}

function addReason(byClass: Map<string, Map<string, ReasonSum>>, { className, bytes, reason }: PlannedRemoval): void {
  const { limit, seen } = figuresOf(reason)
  const ofClass = byClass.get(className) ?? new Map<string, ReasonSum>()
  byClass.set(className, ofClass)
  const key = `${reason.bound} ${limit}`
  const before = ofClass.get(key) ?? { bound: reason.bound, limit, most: seen, entries: 0, bytes: 0 }
  ofClass.set(key, {
    ...before,
    most: Math.max(before.most, seen),
    entries: before.entries + 1,
    bytes: before.bytes + bytes,
  })
}

function addOwner(owners: Map<string, OwnerSum>, removal: PlannedRemoval): void {
  const { group, bytes } = removal
  // A foreign tree knows its sessions by the id in a file's name alone.
  const session = removal.session ?? removal.ids[0] ?? null
  const key = JSON.stringify([group, session])
  const before = owners.get(key) ?? { group, session, entries: 0, bytes: 0 }
  owners.set(key, { ...before, entries: before.entries + 1, bytes: before.bytes + bytes })
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
