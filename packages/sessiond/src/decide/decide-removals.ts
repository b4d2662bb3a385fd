import type { ActiveReferences, ArtifactClass, Protection, RemovalReason, StayReason } from '../model/artifact.ts'

/** A file, or a folder that is one unit, as it was seen. */
export interface SeenEntry {
  /** Index into the rules. */
  readonly rule: number
  /** Relative to the rule's root. */
  readonly path: string
  readonly group: string | null
  readonly session: string | null
  readonly epoch: string | null
  readonly ids: readonly string[]
  readonly mtimeMs: number
  /** Given back when it alone is removed. */
  readonly bytes: number
  /** A file with further names elsewhere: its bytes come back with the last of them. */
  readonly linked: { readonly inode: string; readonly links: number; readonly bytes: number } | null
  /** A removal had begun and was broken off: what is left of it is no use to anybody. */
  readonly isLeftover: boolean
}

export interface RemovalFacts<Entry extends SeenEntry> {
  readonly entries: readonly Entry[]
  readonly rules: readonly ArtifactClass[]
  readonly active: ActiveReferences
  readonly nowMs: number
  readonly pressure: Pressure | null
  /** So many at most, by weight; what comes first in order stays in. */
  readonly maxRemovals: number
}

export interface Pressure {
  readonly usedShare: number
  readonly highWaterShare: number
  readonly wantedBytes: number
}

export interface DecidedRemoval<Entry extends SeenEntry> {
  readonly entry: Entry
  readonly reason: RemovalReason
  /** Given back, all other removals being done as well. */
  readonly bytes: number
}

export interface RemovalDecision<Entry extends SeenEntry> {
  /** Oldest first; what pressure adds comes last. */
  readonly removals: readonly DecidedRemoval<Entry>[]
  /** By rule. */
  readonly stays: readonly Partial<Record<StayReason, number>>[]
  readonly isPartial: boolean
}

/** Clocks of file systems and hosts differ by less; what is newer than now by more has no age one could trust. */
const CLOCK_SKEW_MS = 60_000
/** What was written so lately is in use, whatever the disk needs. */
const QUIET_MS = 600_000

/** Decides which of the entries seen go, and by which bound. */
export function decideRemovals<Entry extends SeenEntry>(facts: RemovalFacts<Entry>): RemovalDecision<Entry> {
  const { rules, maxRemovals } = facts
  const stays: Partial<Record<StayReason, number>>[] = rules.map(() => ({}))
  const due: Due<Entry>[] = []
  const free: Entry[] = []
  for (const series of seriesOf(facts.entries)) {
    for (const { entry, reason } of judge(series, facts)) {
      const rule = ruleOf(rules, entry)
      const stay = whyItStays(entry, rule, facts)
      if (stay !== null) {
        // Within its bounds there is nothing to explain; a time to come is worth telling all the same.
        if (reason !== null || stay === 'future') count(stays, entry.rule, stay)
      } else if (reason !== null) due.push({ entry, reason })
      else if (isBounded(rule) && rule.mayGoEarly !== false) free.push(entry)
    }
  }
  due.sort(byAge)
  const all = [...due, ...decideUnderPressure(free, facts)]
  const chosen = firstOf(all, maxRemovals)
  return { removals: withBytes(chosen), stays, isPartial: chosen.length < all.length }
}

/** Whether there are files that belong to sessions while not one session is known: then something is looked at wrongly. */
export function isImplausible(
  rules: readonly ArtifactClass[],
  entriesByRule: readonly number[],
  active: ActiveReferences,
): boolean {
  return (
    !active.hasSessions && rules.some(({ protects }, rule) => protects.length > 0 && (entriesByRule[rule] ?? 0) > 0)
  )
}

/** Characters of a path that an entry may have for one; longer ones, which enemies make, count as several. */
const PATH_LENGTH = 256

/** For how many entries of common size one counts in memory. */
export function weightOf({ path }: Pick<SeenEntry, 'path'>): number {
  return Math.ceil(path.length / PATH_LENGTH)
}

/** What age alone says about an entry: it need not be kept for a decision, which most are too young for. */
export function decideByAge(
  entry: Pick<SeenEntry, 'group' | 'session' | 'epoch' | 'ids' | 'mtimeMs' | 'isLeftover'>,
  rule: ArtifactClass,
  { active, nowMs, pressure }: Pick<RemovalFacts<SeenEntry>, 'active' | 'nowMs' | 'pressure'>,
): 'undecided' | 'stays' | ProtectedBecause {
  if (entry.isLeftover) return 'undecided'
  if (!isBounded(rule)) return 'stays'
  if (rule.maxCount !== null || rule.maxBytes !== null || isFuture(entry.mtimeMs, nowMs)) return 'undecided'
  const isOld = rule.maxAgeMs !== null && nowMs - entry.mtimeMs > rule.maxAgeMs
  if (!isOld) return pressure === null ? 'stays' : 'undecided'
  // An enemy's session may hold any number of old files: they must not crowd out what can go.
  return protectedBecause(entry, rule.protects, active) ?? 'undecided'
}

/** `active`: an active session holds on to it. `no-record`: nobody can tell whose it is. */
export type ProtectedBecause = 'active' | 'no-record'

/** What holds on to an entry; null: nothing. */
export function protectedBecause(
  entry: Pick<SeenEntry, 'group' | 'session' | 'epoch' | 'ids'>,
  protects: readonly Protection[],
  active: ActiveReferences,
): ProtectedBecause | null {
  const by = protects.find((protection) => holds(protection, entry, active))
  if (by === undefined) return null
  return by === 'no-record' ? 'no-record' : 'active'
}

function holds(
  protection: Protection,
  { group, session, epoch, ids }: Pick<SeenEntry, 'group' | 'session' | 'epoch' | 'ids'>,
  active: ActiveReferences,
): boolean {
  if (protection === 'id') return ids.some((id) => active.ids.has(id))
  if (group === null || session === null) return false
  const whole = `${group}/${session}`
  switch (protection) {
    case 'session':
      return active.openSessions.has(whole)
    case 'work':
      return active.workingSessions.has(whole)
    case 'run':
      return epoch !== null && active.liveRuns.has(`${whole}/${epoch}`)
    case 'no-record':
      return !active.openSessions.has(whole) && !active.closedSessions.has(whole)
  }
}

interface Due<Entry> {
  readonly entry: Entry
  readonly reason: RemovalReason
}

/** Entries that share one count and one size: of the same rule and group. */
function seriesOf<Entry extends SeenEntry>(entries: readonly Entry[]): Iterable<Entry[]> {
  const series = new Map<string, Entry[]>()
  let last: Entry[] = []
  for (const entry of entries) {
    // Most come after one of their own.
    if (last[0]?.rule !== entry.rule || last[0].group !== entry.group) {
      const key = `${entry.rule}/${entry.group ?? ''}`
      last = series.get(key) ?? []
      series.set(key, last)
    }
    last.push(entry)
  }
  return series.values()
}

/** Which bound each exceeds, whatever else speaks for it; what stays takes its place in count and size too. */
function* judge<Entry extends SeenEntry>(
  series: Entry[],
  { rules, nowMs }: RemovalFacts<Entry>,
): Iterable<{ entry: Entry; reason: RemovalReason | null }> {
  const rule = series[0] === undefined ? undefined : ruleOf(rules, series[0])
  if (rule === undefined) return
  if (rule.maxCount !== null || rule.maxBytes !== null) series.sort((a, b) => -byAge({ entry: a }, { entry: b }))
  let rank = 0
  let bytesBefore = 0
  for (const entry of series) {
    if (entry.isLeftover) {
      yield { entry, reason: { bound: 'age', ageMs: ageOf(entry, nowMs), maxAgeMs: 0 } }
      continue
    }
    rank += 1
    yield { entry, reason: exceeded(entry, rule, { rank, bytesBefore, nowMs }) }
    bytesBefore += entry.bytes
  }
}

function exceeded(
  entry: SeenEntry,
  { maxAgeMs, maxCount, maxBytes }: ArtifactClass,
  { rank, bytesBefore, nowMs }: { rank: number; bytesBefore: number; nowMs: number },
): RemovalReason | null {
  const ageMs = ageOf(entry, nowMs)
  if (maxAgeMs !== null && ageMs > maxAgeMs) return { bound: 'age', ageMs, maxAgeMs }
  if (maxCount !== null && rank > maxCount) return { bound: 'count', rank, maxCount }
  if (maxBytes !== null && bytesBefore + entry.bytes > maxBytes) return { bound: 'bytes', bytesBefore, maxBytes }
  return null
}

function whyItStays(entry: SeenEntry, rule: ArtifactClass, facts: RemovalFacts<SeenEntry>): StayReason | null {
  if (isFuture(entry.mtimeMs, facts.nowMs) && !entry.isLeftover) return 'future'
  if (rule.keep.length > 0 && rule.keep.includes(nameOf(entry.path))) return 'kept-name'
  return protectedBecause(entry, rule.protects, facts.active)
}

/** Biggest and oldest first: by what an entry has cost so far, its bytes times its age. */
function decideUnderPressure<Entry extends SeenEntry>(
  free: readonly Entry[],
  { pressure, nowMs }: RemovalFacts<Entry>,
): readonly Due<Entry>[] {
  if (pressure === null) return []
  const { usedShare, highWaterShare, wantedBytes } = pressure
  const reason: RemovalReason = { bound: 'highWater', usedShare, highWaterShare }
  const costOf = (entry: Entry) => entry.bytes * ageOf(entry, nowMs)
  const candidates = free
    .filter((entry) => entry.bytes > 0 && nowMs - entry.mtimeMs > QUIET_MS)
    .sort((a, b) => costOf(b) - costOf(a) || byAge({ entry: a }, { entry: b }))
  const chosen: Due<Entry>[] = []
  let bytes = 0
  for (const entry of candidates) {
    if (bytes >= wantedBytes) break
    chosen.push({ entry, reason })
    bytes += entry.bytes
  }
  return chosen
}

/** So many as fit, and one in any case. */
function firstOf<Entry extends SeenEntry>(all: readonly Due<Entry>[], maxWeight: number): readonly Due<Entry>[] {
  let weight = 0
  const end = all.findIndex(({ entry }) => {
    weight += weightOf(entry)
    return weight > maxWeight
  })
  return end === -1 ? all : all.slice(0, Math.max(1, end))
}

/** A file with several names gives its bytes back with the last of them, provided that all of them go. */
function withBytes<Entry extends SeenEntry>(chosen: readonly Due<Entry>[]): readonly DecidedRemoval<Entry>[] {
  const namesGone = new Map<string, number>()
  return chosen.map(({ entry, reason }) => {
    const { linked } = entry
    if (linked === null) return { entry, reason, bytes: entry.bytes }
    const gone = (namesGone.get(linked.inode) ?? 0) + 1
    namesGone.set(linked.inode, gone)
    return { entry, reason, bytes: entry.bytes + (gone === linked.links ? linked.bytes : 0) }
  })
}

/** Of the same age: in the order in which they were seen, because sorting is stable. */
function byAge({ entry: a }: { readonly entry: SeenEntry }, { entry: b }: { readonly entry: SeenEntry }): number {
  return a.mtimeMs - b.mtimeMs
}

function isBounded({ maxAgeMs, maxCount, maxBytes }: ArtifactClass): boolean {
  return maxAgeMs !== null || maxCount !== null || maxBytes !== null
}

function isFuture(mtimeMs: number, nowMs: number): boolean {
  return mtimeMs > nowMs + CLOCK_SKEW_MS
}

function ageOf({ mtimeMs }: SeenEntry, nowMs: number): number {
  return Math.max(0, nowMs - mtimeMs)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function count(stays: Partial<Record<StayReason, number>>[], rule: number, reason: StayReason): void {
  const counted = stays[rule]
  if (counted !== undefined) counted[reason] = (counted[reason] ?? 0) + 1
}

function ruleOf(rules: readonly ArtifactClass[], { rule }: SeenEntry): ArtifactClass {
  const found = rules[rule]
  if (found === undefined) throw new RangeError(`There is no rule ${rule}`)
  return found
}
