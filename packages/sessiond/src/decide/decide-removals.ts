import type { ActiveReferences, ArtifactClass, Protection, RemovalReason, StayReason } from '../model/artifact.ts'
import { ageOf, byAge, isFuture } from './age-of-entry.ts'
import { costOf, decideUnderPressure, mayGoUnderPressure, type Pressure } from './decide-under-pressure.ts'
import { fairShare } from './fair-share.ts'
import { namesByInode, newOwners, type SeenEntry, seriesOf, weightOf } from './seen-entry.ts'

export interface RemovalFacts<Entry extends SeenEntry> {
  readonly entries: readonly Entry[]
  /** What there was no room for, by series. */
  readonly leftOut: ReadonlyMap<string, LeftOut>
  readonly rules: readonly ArtifactClass[]
  readonly active: ActiveReferences
  readonly nowMs: number
  readonly pressure: Pressure | null
  /** So many at most, by weight, of each owner its fair share. */
  readonly maxRemovals: number
}

/** Entries of one series that are only known by number: they still count for those that are older than all of them. */
export interface LeftOut {
  /** Of the oldest. */
  readonly sinceMs: number
  readonly entries: number
  readonly bytes: number
}

export interface DecidedRemoval<Entry extends SeenEntry> {
  readonly entry: Entry
  readonly reason: RemovalReason
  /** Given back, all other removals being done as well. */
  readonly bytes: number
}

export interface RemovalDecision<Entry extends SeenEntry> {
  /** Oldest first; on a full disk biggest and oldest first, and what pressure adds comes last. */
  readonly removals: readonly DecidedRemoval<Entry>[]
  /** By rule. */
  readonly stays: readonly Partial<Record<StayReason, number>>[]
  readonly isPartial: boolean
}

/** Decides which of the entries seen go, and by which bound. */
export function decideRemovals<Entry extends SeenEntry>(facts: RemovalFacts<Entry>): RemovalDecision<Entry> {
  const { rules, maxRemovals, nowMs, pressure } = facts
  const stays: Partial<Record<StayReason, number>>[] = rules.map(() => ({}))
  const due: Due<Entry>[] = []
  const free: Entry[] = []
  for (const series of allSeriesOf(facts.entries)) {
    for (const { entry, reason } of judge(series, facts)) {
      const rule = ruleOf(rules, entry)
      const stay = whyItStays(entry, rule, facts)
      if (stay !== null) {
        // Within its bounds there is nothing to explain; a time to come is worth telling all the same.
        if (reason !== null || stay === 'future') count(stays, entry.rule, stay)
      } else if (reason !== null) due.push({ entry, reason })
      else if (pressure !== null && isBounded(rule) && mayGoUnderPressure(entry, rule, nowMs)) free.push(entry)
    }
  }
  // Where room is short, what gives back most goes first: there may not be time for all.
  const byCost = (a: Entry, b: Entry) => costOf(b, nowMs) - costOf(a, nowMs) || byAge(a, b)
  due.sort((a, b) => (pressure === null ? byAge : byCost)(a.entry, b.entry))
  const all = pressure === null ? due : [...due, ...decideUnderPressure(free, withBytes(due), { pressure, nowMs })]
  const ownerOf = newOwners()
  const share = {
    ownerOf: ({ entry }: Due<Entry>) => ownerOf(entry),
    weightOf: ({ entry }: Due<Entry>) => weightOf(entry),
  }
  const chosen = fairShare(all, share, maxRemovals)
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

/**
 * What is certain of an entry before the others are known. Most are too young to go and need not be kept for a decision:
 * a hostile session may hold any number that never go, and they must not crowd out what can.
 */
export function decideByAge(
  entry: SeenEntry,
  rule: ArtifactClass,
  facts: Pick<RemovalFacts<SeenEntry>, 'active' | 'nowMs' | 'pressure'>,
): 'undecided' | 'stays' | StayReason {
  const { nowMs, pressure } = facts
  if (!entry.isLeftover) {
    if (!isBounded(rule)) return 'stays'
    if (isFuture(entry.sinceMs, nowMs)) return 'future'
    if (rule.maxCount !== null || rule.maxBytes !== null) return 'undecided'
    if (!isOld(entry, rule, nowMs)) {
      const mayGo =
        pressure !== null && mayGoUnderPressure(entry, rule, nowMs) && whyItStays(entry, rule, facts) === null
      return mayGo ? 'undecided' : 'stays'
    }
  }
  return whyItStays(entry, rule, facts) ?? 'undecided'
}

/** Which of two entries is worth more to a decision where there is no room for both. */
export function byWorth({
  rules,
  nowMs,
  pressure,
}: Pick<RemovalFacts<SeenEntry>, 'rules' | 'nowMs' | 'pressure'>): (a: SeenEntry, b: SeenEntry) => number {
  const isDue = (entry: SeenEntry) => entry.isLeftover || isOld(entry, ruleOf(rules, entry), nowMs)
  return (a, b) =>
    Number(isDue(b)) - Number(isDue(a)) ||
    (pressure === null || isDue(a) ? 0 : costOf(b, nowMs) - costOf(a, nowMs)) ||
    byAge(a, b)
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
  const whole = wholeName(group, session)
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

let last = { group: '', session: '', whole: '/' }

/** `<group>/<session>`; made anew only for another one than the last, since entries come session by session. */
function wholeName(group: string, session: string): string {
  if (last.group !== group || last.session !== session) last = { group, session, whole: `${group}/${session}` }
  return last.whole
}

interface Due<Entry> {
  readonly entry: Entry
  readonly reason: RemovalReason
}

function allSeriesOf<Entry extends SeenEntry>(entries: readonly Entry[]): Iterable<Entry[]> {
  const all = new Map<string, Entry[]>()
  let last: Entry[] = []
  for (const entry of entries) {
    // Most come after one of their own.
    if (last[0]?.rule !== entry.rule || last[0].group !== entry.group) {
      const key = seriesOf(entry)
      last = all.get(key) ?? []
      all.set(key, last)
    }
    last.push(entry)
  }
  return all.values()
}

/** Which bound each exceeds, whatever else speaks for it; what stays takes its place in count and size too. */
function* judge<Entry extends SeenEntry>(
  series: Entry[],
  { rules, nowMs, leftOut }: RemovalFacts<Entry>,
): Iterable<{ entry: Entry; reason: RemovalReason | null }> {
  const [first] = series
  if (first === undefined) return
  const rule = ruleOf(rules, first)
  const isRanked = rule.maxCount !== null || rule.maxBytes !== null
  if (isRanked) series.sort((a, b) => byAge(b, a))
  const bytesOf = rule.maxBytes === null ? ({ bytes }: Entry) => bytes : bytesOfSeries(series)
  const unseen = leftOut.get(seriesOf(first))
  let entries = 0
  let bytesBefore = 0
  for (const entry of series) {
    if (entry.isLeftover) yield { entry, reason: { bound: 'age', ageMs: ageOf(entry, nowMs), maxAgeMs: 0 } }
    // Where no clock can be trusted there is no order of time either.
    else if (isFuture(entry.sinceMs, nowMs)) yield { entry, reason: null }
    else {
      entries += 1
      const bytes = bytesOf(entry)
      const newer = unseen !== undefined && entry.sinceMs < unseen.sinceMs ? unseen : NOTHING
      const place = { rank: newer.entries + entries, bytesBefore: newer.bytes + bytesBefore, bytes }
      yield { entry, reason: exceeded(ageOf(entry, nowMs), rule, place) }
      bytesBefore += bytes
    }
  }
}

const NOTHING = { entries: 0, bytes: 0 }

/** Of a file with several names its newest counts for all, provided that all are here: then it goes with them. */
function bytesOfSeries(series: readonly SeenEntry[]): (entry: SeenEntry) => number {
  const names = namesByInode(series)
  const isCounted = new Set<string>()
  return ({ bytes, linked }) => {
    if (linked === null || isCounted.has(linked.inode) || names.get(linked.inode)?.length !== linked.links) return bytes
    isCounted.add(linked.inode)
    return bytes + linked.bytes
  }
}

function exceeded(
  ageMs: number,
  { maxAgeMs, maxCount, maxBytes }: ArtifactClass,
  { rank, bytesBefore, bytes }: { readonly rank: number; readonly bytesBefore: number; readonly bytes: number },
): RemovalReason | null {
  if (maxAgeMs !== null && ageMs > maxAgeMs) return { bound: 'age', ageMs, maxAgeMs }
  if (maxCount !== null && rank > maxCount) return { bound: 'count', rank, maxCount }
  if (maxBytes !== null && bytesBefore + bytes > maxBytes) return { bound: 'bytes', bytesBefore, maxBytes }
  return null
}

function whyItStays(
  entry: SeenEntry,
  rule: ArtifactClass,
  { nowMs, active }: Pick<RemovalFacts<SeenEntry>, 'nowMs' | 'active'>,
): StayReason | null {
  if (isFuture(entry.sinceMs, nowMs) && !entry.isLeftover) return 'future'
  if (rule.keep.length > 0 && rule.keep.includes(nameOf(entry.path))) return 'kept-name'
  return protectedBecause(entry, rule.protects, active)
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

function isBounded({ maxAgeMs, maxCount, maxBytes }: ArtifactClass): boolean {
  return maxAgeMs !== null || maxCount !== null || maxBytes !== null
}

function isOld(entry: SeenEntry, { maxAgeMs }: ArtifactClass, nowMs: number): boolean {
  return maxAgeMs !== null && ageOf(entry, nowMs) > maxAgeMs
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
