import type { ArtifactClass } from '../../model/artifact.ts'
import { likelySteps } from './likely-steps.ts'

/** What a path gave away about itself. */
export interface Captures {
  readonly group: string | null
  readonly session: string | null
  readonly epoch: string | null
  readonly ids: readonly string[]
}

/** The rule an entry belongs to. */
export interface Match {
  readonly rule: number
  readonly captures: Captures
}

/** How far the patterns have come on the way to a folder. Empty: none of them can fit anything below it. */
export type Progress = readonly Step[]

/** Patterns of several rules, asked name by name on the way down a tree, so that nothing is split or joined twice. */
export interface PatternMatcher {
  readonly start: Progress
  /** The first rule, and of it the first pattern, that a file of this name belongs to. */
  matchFile(at: Progress, name: string): Match | null
  /** The same of a folder that is one unit with all that is below it. */
  matchFolder(at: Progress, name: string): Match | null
  /** Where the patterns stand within the folder `name`. */
  enter(at: Progress, name: string): Progress
}

export interface PatternSource extends Pick<ArtifactClass, 'patterns'> {
  /** Folders between where the walk begins and the rule's root: names, not patterns. */
  readonly prefix: readonly string[]
}

interface Step {
  readonly pattern: Pattern
  readonly index: number
  readonly captures: Captures
}

interface Pattern {
  readonly rule: number
  readonly isFolder: boolean
  readonly segments: readonly Segment[]
}

/** Null: any number of folders. `only`: the one name it fits, if it is one. */
type Segment = {
  readonly only: string | null
  readonly fits: (name: string, before: Captures) => Captures | null
} | null

type Placeholder = 'group' | 'session' | 'epoch' | 'id'

const NOTHING: Captures = { group: null, session: null, epoch: null, ids: [] }
const PARTS = /(\*|\{(?:group|session|epoch|id)\})/

export function compilePatterns(rules: readonly PatternSource[]): PatternMatcher {
  const patterns = rules.flatMap(({ prefix, patterns }, rule) =>
    patterns.map((text) => compilePattern(rule, prefix, text)),
  )
  const start: Step[] = []
  for (const pattern of patterns) add(start, { pattern, index: 0, captures: NOTHING })
  return {
    start,
    matchFile: (at, name) => matchLast(at, name, false),
    matchFolder: (at, name) => matchLast(at, name, true),
    enter,
  }
}

function compilePattern(rule: number, prefix: readonly string[], text: string): Pattern {
  const isFolder = text.endsWith('/')
  const names = (isFolder ? text.slice(0, -1) : text).split('/')
  // Folders alone name no entry; what is meant is everything in them.
  if (names.at(-1) === '**') names.push('*')
  return { rule, isFolder, segments: [...prefix.map(compileName), ...names.map(compileSegment)] }
}

function compileSegment(text: string): Segment {
  if (text === '**') return null
  const parts = text.split(PARTS)
  // Letters and wildcards take turns, letters first and last.
  const letters = parts.filter((_, index) => index % 2 === 0)
  const wildcards = parts.filter((_, index) => index % 2 === 1).map(placeholderOf)
  if (wildcards.length === 0) return compileName(text)
  return {
    only: null,
    fits(name, before) {
      const found = findWildcards(name, letters, wildcards)
      return found === null ? null : capture(before, wildcards, found)
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

function compileName(expected: string): Segment {
  return { only: expected, fits: (name, before) => (name === expected ? before : null) }
}

/** Null: it captures nothing. */
function placeholderOf(part: string): Placeholder | null {
  return part === '*' ? null : (part.slice(1, -1) as Placeholder)
}

function capture(before: Captures, names: readonly (Placeholder | null)[], found: readonly string[]): Captures {
  if (names.every((name) => name === null)) return before
  const after = { ...before, ids: [...before.ids] }
  for (const [index, name] of names.entries()) {
    const value = found[index] ?? ''
    if (name === 'id') after.ids.push(value)
    else if (name !== null) after[name] ??= value
  }
  return after
}

function matchLast(at: Progress, name: string, isFolder: boolean): Match | null {
  for (const { pattern, index, captures } of likelySteps(at, name)) {
    if (pattern.isFolder !== isFolder || index !== pattern.segments.length - 1) continue
    const found = pattern.segments[index]?.fits(name, captures) ?? null
    if (found !== null) return { rule: pattern.rule, captures: found }
  }
  return null
}

function enter(at: Progress, name: string): Progress {
  const below: Step[] = []
  for (const step of likelySteps(at, name)) {
    const { pattern, index, captures } = step
    const segment = pattern.segments[index]
    if (segment === null) add(below, step)
    else if (index < pattern.segments.length - 1) {
      const found = segment?.fits(name, captures) ?? null
      if (found !== null) add(below, { pattern, index: index + 1, captures: found })
    }
  }
  return below
}

/** Adds a step, and where it leads without a folder in between. One pattern stands at one place only once. */
function add(steps: Step[], step: Step): void {
  // Those of one pattern follow one another.
  for (let last = steps.length - 1; steps[last]?.pattern === step.pattern; last -= 1) {
    if (steps[last]?.index === step.index) return
  }
  steps.push(step)
  if (step.pattern.segments[step.index] === null) add(steps, { ...step, index: step.index + 1 })
}
