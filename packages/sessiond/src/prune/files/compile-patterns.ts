import type { ArtifactClass } from '../../model/artifact.ts'
import { likelySteps } from './likely-steps.ts'

/** What a path gave away about itself. */
export interface Captures {
  readonly group: string | null
  readonly session: string | null
  readonly epoch: string | null
  /** Where a path can be read in several ways, those of each. */
  readonly ids: readonly string[]
}

/** The rule an entry belongs to. */
export interface Match {
  readonly rule: number
  readonly captures: Captures
  /** It stays: it lies in a folder whose name its rule keeps, or may hold any of more ids than are told apart. */
  readonly isKept: boolean
}

/** How far the patterns have come on the way to a folder. Empty: none of them can fit anything below it. */
export type Progress = readonly Step[]

/** Patterns of several rules, asked name by name on the way down a tree, so that nothing is split or joined twice. */
export interface PatternMatcher {
  readonly start: Progress
  /** The first rule, and of it the first pattern, that a file of this name belongs to. */
  matchFile(at: Progress, name: string): Match | null
  /** The same of a folder that is one unit with all that is below it: no earlier pattern may find anything within. */
  matchFolder(at: Progress, name: string): Match | null
  /** Where the patterns stand within the folder `name`; where it would be one unit, those before that alone. */
  enter(at: Progress, name: string): Progress
}

export interface PatternSource extends Pick<ArtifactClass, 'patterns' | 'keep'> {
  /** Folders between where the walk begins and the rule's root: names, not patterns. */
  readonly prefix: readonly string[]
}

/** What is known of a path so far. */
type Way = Omit<Match, 'rule'>

interface Step extends Way {
  readonly pattern: Pattern
  readonly index: number
}

interface Pattern {
  readonly rule: number
  /** Of all patterns. */
  readonly order: number
  readonly keep: readonly string[]
  readonly isFolder: boolean
  readonly segments: readonly Segment[]
}

/** Null: any number of folders. `only`: the one name it fits, if it is one. */
type Segment = {
  readonly only: string | null
  readonly fits: (name: string, before: Way) => Way | null
  /** Whether it takes names as it finds them: what is spelt out, and whose file it is, is not for `keep` to say. */
  readonly isOpen: boolean
} | null

type Placeholder = 'group' | 'session' | 'epoch' | 'id'

const NOTHING: Way = { captures: { group: null, session: null, epoch: null, ids: [] }, isKept: false }
/** Ids that one entry may bear; what has more was named so on purpose. */
const MAX_IDS = 24
const PARTS = /(\*|\{(?:group|session|epoch|id)\})/

export function compilePatterns(rules: readonly PatternSource[]): PatternMatcher {
  const patterns = rules
    .flatMap((source, rule) => source.patterns.map((text) => compilePattern(source, rule, text)))
    .map((pattern, order) => ({ ...pattern, order }))
  const start: Step[] = []
  for (const pattern of patterns) add(start, { pattern, index: 0, ...NOTHING })
  return {
    start,
    matchFile: (at, name) => matchOf(lastFit(at, name, false)),
    matchFolder(at, name) {
      const unit = lastFit(at, name, true)
      return unit === null || enter(at, name).length > 0 ? null : matchOf(unit)
    },
    enter,
  }
}

function compilePattern({ prefix, keep }: PatternSource, rule: number, text: string): Omit<Pattern, 'order'> {
  const isFolder = text.endsWith('/')
  const names = (isFolder ? text.slice(0, -1) : text).split('/')
  // Folders alone name no entry; what is meant is everything in them.
  if (names.at(-1) === '**') names.push('*')
  return { rule, keep, isFolder, segments: [...prefix.map(compileName), ...names.map(compileSegment)] }
}

function compileSegment(text: string): Segment {
  if (text === '**') return null
  const parts = text.split(PARTS)
  // Letters and wildcards take turns, letters first and last.
  const letters = parts.filter((_, index) => index % 2 === 0)
  const wildcards = parts.filter((_, index) => index % 2 === 1).map(placeholderOf)
  if (wildcards.length === 0) return compileName(text)
  const isAmbiguous = wildcards.length > 1 && wildcards.includes('id')
  return {
    only: null,
    isOpen: text !== '{group}' && text !== '{session}',
    fits(name, before) {
      const found = findWildcards(name, letters, wildcards)
      if (found === null) return null
      return capture(before, wildcards, found, isAmbiguous ? idsOf(name, letters, wildcards, found) : null)
    },
  }
}

/**
 * What each wildcard stands for, each as short as it can be; null: the name does not fit. Never goes back: names are
 * chosen by enemies, and what a regular expression tries on one can take longer than anybody waits.
 */
function findWildcards(
  name: string,
  letters: readonly string[],
  wildcards: readonly (Placeholder | null)[],
): readonly string[] | null {
  const [first = ''] = letters
  const last = letters.at(-1) ?? ''
  const end = name.length - last.length
  if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return null
  const found: string[] = []
  let from = first.length
  for (const [index, wildcard] of wildcards.entries()) {
    const next = letters[index + 1] ?? ''
    const least = from + (wildcard === null ? 0 : 1)
    const isLast = index === wildcards.length - 1
    const until = isLast ? end : name.indexOf(next, least)
    if (until < least || (!isLast && until + next.length > end)) return null
    found.push(name.slice(from, until))
    from = until + next.length
  }
  return found
}

/**
 * What `{id}` may stand for, by any reading of a name that fits, since ids may hold the very letters between them; one
 * more than MAX_IDS where there are more. `found` is the reading in which each wildcard is as short as it can be.
 */
function idsOf(
  name: string,
  letters: readonly string[],
  wildcards: readonly (Placeholder | null)[],
  found: readonly string[],
): readonly string[] {
  const begins = beginsOf(name, letters, wildcards, found)
  // Nearly all names can be read in one way only.
  if (begins.every((places) => places.length === 1)) return found.filter((_, index) => wildcards[index] === 'id')
  const ids = new Set<string>()
  for (const [index, wildcard] of wildcards.entries()) {
    if (wildcard !== 'id') continue
    const next = letters[index + 1] ?? ''
    for (const from of begins[index] ?? []) {
      for (const after of begins[index + 1] ?? []) {
        if (after - next.length > from) ids.add(name.slice(from, after - next.length))
        if (ids.size > MAX_IDS) return [...ids]
      }
    }
  }
  return [...ids]
}

/** Where each wildcard may begin, and where the name ends: what lies between two such places is read by some reading. */
function beginsOf(
  name: string,
  letters: readonly string[],
  wildcards: readonly (Placeholder | null)[],
  found: readonly string[],
): readonly (readonly number[])[] {
  const earliest = [(letters[0] ?? '').length]
  for (const [index, text] of found.entries()) {
    earliest.push((earliest[index] ?? 0) + text.length + (letters[index + 1] ?? '').length)
  }
  const begins = [[name.length]]
  for (let index = wildcards.length - 1, latest = name.length; index >= 0; index -= 1) {
    const next = letters[index + 1] ?? ''
    latest = name.lastIndexOf(next, latest - next.length) - (wildcards[index] === null ? 0 : 1)
    begins.push(endsOf(name, letters[index] ?? '', earliest[index] ?? 0, index === 0 ? (earliest[0] ?? 0) : latest))
  }
  return begins.reverse()
}

/** Where some letters end, of all their places in a name between two. */
function endsOf(name: string, letters: string, first: number, last: number): number[] {
  const ends: number[] = []
  if (first === last) return [first]
  for (let end = first; end <= last; end += 1) if (name.endsWith(letters, end)) ends.push(end)
  return ends
}

function compileName(expected: string): Segment {
  return { only: expected, isOpen: false, fits: (name, before) => (name === expected ? before : null) }
}

/** Null: it captures nothing. */
function placeholderOf(part: string): Placeholder | null {
  return part === '*' ? null : (part.slice(1, -1) as Placeholder)
}

/** `allIds`: null where there is but one reading. */
function capture(
  before: Way,
  names: readonly (Placeholder | null)[],
  found: readonly string[],
  allIds: readonly string[] | null,
): Way {
  if (names.every((name) => name === null)) return before
  const captures = { ...before.captures }
  const ids: string[] = []
  for (const [index, name] of names.entries()) {
    const value = found[index] ?? ''
    if (name === 'id') ids.push(value)
    else if (name !== null) captures[name] ??= value
  }
  return withIds({ captures, isKept: before.isKept }, allIds ?? ids)
}

function withIds(way: Way, more: readonly string[]): Way {
  const { captures } = way
  const added = more.filter((id, index) => !captures.ids.includes(id) && more.indexOf(id) === index)
  if (added.length === 0) return way
  const ids = captures.ids.length === 0 ? added : [...captures.ids, ...added]
  if (ids.length <= MAX_IDS) return { captures: { ...captures, ids }, isKept: way.isKept }
  return { captures: { ...captures, ids: ids.slice(0, MAX_IDS) }, isKept: true }
}

/** The first pattern that ends at this name, and the way by which it does. */
function lastFit(
  at: Progress,
  name: string,
  isFolder: boolean,
): { readonly pattern: Pattern; readonly way: Way } | null {
  for (const step of likelySteps(at, name)) {
    const { pattern, index } = step
    if (pattern.isFolder !== isFolder || index !== pattern.segments.length - 1) continue
    const way = pattern.segments[index]?.fits(name, step) ?? null
    if (way !== null) return { pattern, way }
  }
  return null
}

function matchOf(fit: ReturnType<typeof lastFit>): Match | null {
  return fit === null ? null : { rule: fit.pattern.rule, captures: fit.way.captures, isKept: fit.way.isKept }
}

function enter(at: Progress, name: string): Progress {
  const below: Step[] = []
  // What is in a folder of one unit belongs to it, but for what belongs to earlier patterns.
  const before = lastFit(at, name, true)?.pattern.order ?? Number.POSITIVE_INFINITY
  for (const step of likelySteps(at, name)) {
    const { pattern, index } = step
    if (pattern.order >= before) break
    const segment = pattern.segments[index]
    if (segment !== null && index >= pattern.segments.length - 1) continue
    const way = segment === null ? step : (segment?.fits(name, step) ?? null)
    if (way === null) continue
    const isKept = way.isKept || ((segment === null || segment?.isOpen === true) && pattern.keep.includes(name))
    add(below, { pattern, index: segment === null ? index : index + 1, captures: way.captures, isKept })
  }
  return below
}

/** Adds a step, and where it leads without a folder in between. One pattern stands at one place only once. */
function add(steps: Step[], step: Step): void {
  const place = placeOf(steps, step)
  const known = steps[place]
  if (known === undefined) steps.push(step)
  else {
    const both = withIds({ ...known, isKept: known.isKept || step.isKept }, step.captures.ids)
    if (both.captures === known.captures && both.isKept === known.isKept) return
    steps[place] = { ...known, ...both }
  }
  if (step.pattern.segments[step.index] === null) add(steps, { ...(steps[place] ?? step), index: step.index + 1 })
}

/** Where a pattern stands at that place already; -1: nowhere. Steps of one pattern follow one another. */
function placeOf(steps: readonly Step[], { pattern, index }: Step): number {
  let place = steps.length - 1
  while (steps[place]?.pattern === pattern && steps[place]?.index !== index) place -= 1
  return steps[place]?.pattern === pattern ? place : -1
}
