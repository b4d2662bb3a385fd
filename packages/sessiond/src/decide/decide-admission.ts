import type { WaitingSession } from '../store/store.ts'

/** A live run as admission sees it. */
export interface Occupant {
  readonly sessionId: string
  readonly group: string
  /** How long it has had nothing to do; null: it is busy, starting or stopping. */
  readonly idleForMs: number | null
  /** Asked to stop already: its slot comes free by itself. */
  readonly isLeaving: boolean
}

export interface AdmissionPolicy {
  readonly maxRuns: number
  readonly maxStarting: number
  /** The disk has no room for new work: nobody starts, and so nobody makes room either. */
  readonly isBelowDiskFloor: boolean
}

/** Accounts that are not open. */
export interface AccountRooms {
  readonly accountOf: (group: string) => string
  /** How many more sessions of an account may begin; no entry: any number. */
  readonly rooms: ReadonlyMap<string, number>
}

const NO_ROOMS: AccountRooms = { accountOf: (group) => group, rooms: new Map() }

export interface AdmissionDecision {
  readonly start: readonly string[]
  /** Idle runs to stop so that waiting sessions get their slots. */
  readonly evict: readonly string[]
}

/**
 * Shares the free slots among waiting sessions: the group with the fewest live runs first, within a group the
 * oldest due first (D16). When slots run out, runs that idle make room, longest idle first. Of an account that is held
 * back only as many wait as it has room for, the oldest due of all its groups: the others would stop runs for nothing.
 */
export function decideAdmission(
  waiting: readonly WaitingSession[],
  occupants: readonly Occupant[],
  startingCount: number,
  policy: AdmissionPolicy,
  accounts: AccountRooms = NO_ROOMS,
): AdmissionDecision {
  if (policy.isBelowDiskFloor) return { start: [], evict: [] }
  const order = fairOrder(withinRooms(waiting, accounts), occupants)
  const freeSlots = Math.max(0, policy.maxRuns - occupants.length)
  const startSlots = Math.max(0, policy.maxStarting - startingCount)
  const start = order.slice(0, Math.min(freeSlots, startSlots))
  const leaving = occupants.filter((run) => run.isLeaving).length
  // A run takes a while to stop: without counting those, every look meanwhile would evict another.
  const unserved = Math.max(0, order.length - freeSlots - leaving)
  const idle = occupants.filter((run): run is Occupant & { idleForMs: number } => run.idleForMs !== null)
  idle.sort((a, b) => b.idleForMs - a.idleForMs)
  return { start, evict: idle.slice(0, unserved).map((run) => run.sessionId) }
}

function withinRooms(waiting: readonly WaitingSession[], { accountOf, rooms }: AccountRooms): WaitingSession[] {
  const left = new Map(rooms)
  return [...waiting].sort(byAge).filter(({ group }) => {
    const account = accountOf(group)
    const room = left.get(account) ?? Number.POSITIVE_INFINITY
    left.set(account, room - 1)
    return room > 0
  })
}

function byAge(a: WaitingSession, b: WaitingSession): number {
  return a.oldestDueAtMs - b.oldestDueAtMs
}

function fairOrder(waiting: readonly WaitingSession[], occupants: readonly Occupant[]): string[] {
  const queues = new Map<string, WaitingSession[]>()
  for (const session of [...waiting].sort(byAge)) {
    const queue = queues.get(session.group)
    if (queue === undefined) queues.set(session.group, [session])
    else queue.push(session)
  }
  const running = new Map<string, number>()
  for (const run of occupants) running.set(run.group, (running.get(run.group) ?? 0) + 1)
  const order: string[] = []
  while (queues.size > 0) {
    const group = neediest(queues, running)
    const queue = queues.get(group) ?? []
    const next = queue.shift()
    if (next !== undefined) order.push(next.sessionId)
    if (queue.length === 0) queues.delete(group)
    running.set(group, (running.get(group) ?? 0) + 1)
  }
  return order
}

/** The group with the fewest runs; among equals the one whose head has waited longest. */
function neediest(
  queues: ReadonlyMap<string, readonly WaitingSession[]>,
  running: ReadonlyMap<string, number>,
): string {
  let best: { group: string; runs: number; dueAtMs: number } | undefined
  for (const [group, queue] of queues) {
    const runs = running.get(group) ?? 0
    const dueAtMs = queue[0]?.oldestDueAtMs ?? Number.POSITIVE_INFINITY
    if (best === undefined || runs < best.runs || (runs === best.runs && dueAtMs < best.dueAtMs)) {
      best = { group, runs, dueAtMs }
    }
  }
  return best?.group ?? ''
}
