import type { ArtifactClass } from '../../model/artifact.ts'

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

/** Null: any number of folders. */
type Segment = { readonly fits: (name: string, before: Captures) => Captures | null } | null

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
  const parts = text.split(PARTS).filter((part) => part !== '')
  if (!parts.some((part) => PARTS.test(part))) return compileName(text)
  if (text === '*') return { fits: (_name, before) => before }
  const captured = parts.filter((part) => part.startsWith('{') && PARTS.test(part)).map(placeholderOf)
  const regExp = new RegExp(`^${parts.map(sourceOf).join('')}$`, 'su')
  return {
    fits(name, before) {
      const found = regExp.exec(name)
      if (found === null) return null
      return captured.length === 0 ? before : capture(before, captured, found)
    },
  }
}

function compileName(expected: string): Segment {
  return { fits: (name, before) => (name === expected ? before : null) }
}

function placeholderOf(part: string): Placeholder {
  return part.slice(1, -1) as Placeholder
}

function sourceOf(part: string): string {
  if (part === '*') return '.*?'
  return PARTS.test(part) ? '(.+?)' : part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function capture(before: Captures, names: readonly Placeholder[], found: RegExpExecArray): Captures {
  const after = { ...before, ids: [...before.ids] }
  for (const [index, name] of names.entries()) {
    const value = found[index + 1] ?? ''
    if (name === 'id') after.ids.push(value)
    else after[name] ??= value
  }
  return after
}

function matchLast(at: Progress, name: string, isFolder: boolean): Match | null {
  for (const { pattern, index, captures } of at) {
    if (pattern.isFolder !== isFolder || index !== pattern.segments.length - 1) continue
    const found = pattern.segments[index]?.fits(name, captures) ?? null
    if (found !== null) return { rule: pattern.rule, captures: found }
  }
  return null
}

function enter(at: Progress, name: string): Progress {
  const below: Step[] = []
  for (const step of at) {
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
  if (steps.some(({ pattern, index }) => pattern === step.pattern && index === step.index)) return
  steps.push(step)
  if (step.pattern.segments[step.index] === null) add(steps, { ...step, index: step.index + 1 })
}
