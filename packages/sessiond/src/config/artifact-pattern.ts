/** The captures a pattern may hold. */
const CAPTURES = ['group', 'session', 'epoch', 'id'] as const
export type Capture = (typeof CAPTURES)[number]

const MAX_CHARS = 1_000
/** A name that fits is looked for by going back and forth; more of them make a hostile name costly. */
const MAX_WILDCARDS = 3
const WILDCARD = /\*|\{[^{}]*\}/g

/** What is wrong with a pattern by itself; undefined: nothing. */
export function patternFault(pattern: string): { readonly rule: string; readonly cure: string } | undefined {
  if (pattern === '' || pattern.includes('\0') || pattern.length > MAX_CHARS) {
    return { rule: `holds a pattern that is not 1 to ${MAX_CHARS} characters without NUL`, cure: 'Shorten it.' }
  }
  if (pattern.startsWith('/')) {
    return { rule: 'holds an absolute pattern', cure: 'Leave the first slash out: patterns start at root.' }
  }
  const segments = segmentsOf(pattern)
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return { rule: "holds a pattern with an empty segment, '.' or '..'", cure: 'Write the plain way from root.' }
  }
  if (segments.at(-1) === '**') {
    return { rule: "holds a pattern that ends in '**', which stands for folders", cure: "Write '**/*' for all files." }
  }
  return segmentsFault(segments)
}

function segmentsFault(segments: readonly string[]): { readonly rule: string; readonly cure: string } | undefined {
  if (segments.some((segment) => segment !== '**' && segment.includes('**'))) {
    return { rule: "holds a pattern with '**' as part of a name", cure: "Write '*', or '**' between two slashes." }
  }
  const unknown = segments.flatMap(bracesOf).find((text) => !isCapture(text))
  if (unknown !== undefined) {
    const known = CAPTURES.map((name) => `{${name}}`).join(', ')
    return { rule: `holds a pattern with ${unknown}, which is no capture`, cure: `Captures are ${known}.` }
  }
  if (segments.some((segment) => /[*}]\{|\}\*/.test(segment))) {
    return {
      rule: 'holds a pattern with a capture that touches a wildcard, so that it could be a part of a name only',
      cure: 'Put a letter or sign between the two, or leave one out.',
    }
  }
  if (segments.some((segment) => wildcardsOf(segment) > MAX_WILDCARDS)) {
    return { rule: `holds a pattern with more than ${MAX_WILDCARDS} wildcards in one name`, cure: 'Use fewer.' }
  }
  if (segments.filter((segment) => segment === '**').length > MAX_WILDCARDS) {
    return { rule: `holds a pattern with '**' more than ${MAX_WILDCARDS} times`, cure: 'Use fewer.' }
  }
  const twice = CAPTURES.find(
    (name) => name !== 'id' && capturesIn(segments).filter((each) => each === name).length > 1,
  )
  if (twice === undefined) return undefined
  return { rule: `holds a pattern with {${twice}} twice`, cure: 'Write * in the place of the second.' }
}

/** The captures of a pattern that has no fault. */
export function capturesOf(pattern: string): ReadonlySet<Capture> {
  return new Set(capturesIn(segmentsOf(pattern)))
}

/** The segments of a pattern, without the slash that makes it one of folders. */
export function segmentsOf(pattern: string): string[] {
  return (isOfFolders(pattern) ? pattern.slice(0, -1) : pattern).split('/')
}

/** The last segment where it is a whole name; undefined where it is a wildcard or holds one. */
export function nameOf(pattern: string): string | undefined {
  const last = segmentsOf(pattern).at(-1)
  return last === undefined || wildcardsOf(last) > 0 ? undefined : last
}

function isOfFolders(pattern: string): boolean {
  return pattern.endsWith('/')
}

/**
 * Tells whether all that `later` fits belongs to `earlier` already. Both without fault. A name in which `*` stands for
 * nothing at all does not count: `*.json` says no more than `{id}.json`.
 */
export function isCovered(later: string, earlier: string): boolean {
  // A name that no pattern spells out is taken in by wildcards alone, and so would any other be in its place.
  return [0, 2].every((depth) => fits(earlier, samplePath(later, depth), isOfFolders(later)))
}

const ANY = '\u0001'

/** A path that fits; `depth`: how many folders each `**` stands for. */
function samplePath(pattern: string, depth: number): string[] {
  return segmentsOf(pattern).flatMap((segment) =>
    segment === '**' ? new Array<string>(depth).fill(ANY) : [segment.replace(WILDCARD, ANY)],
  )
}

function fits(pattern: string, path: readonly string[], isFolder: boolean): boolean {
  const segments = segmentsOf(pattern)
  if (!isOfFolders(pattern)) return !isFolder && fitsAll(segments, path)
  // A folder is one unit with all below it.
  const folders = isFolder ? path.length : path.length - 1
  return Array.from({ length: folders }, (_, index) => path.slice(0, index + 1)).some((folder) =>
    fitsAll(segments, folder),
  )
}

function fitsAll([segment, ...rest]: readonly string[], path: readonly string[]): boolean {
  if (segment === undefined) return path.length === 0
  if (segment === '**') return fitsAll(rest, path) || (path.length > 0 && fitsAll([segment, ...rest], path.slice(1)))
  const [name, ...below] = path
  return name !== undefined && expressionOf(segment).test(name) && fitsAll(rest, below)
}

function expressionOf(segment: string): RegExp {
  const literal = segment.split(WILDCARD).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  const wildcards = [...segment.matchAll(WILDCARD)].map(([text]) => (text === '*' ? '.*' : '.+'))
  return new RegExp(`^${literal.map((part, index) => part + (wildcards[index] ?? '')).join('')}$`, 's')
}

function wildcardsOf(segment: string): number {
  return [...segment.matchAll(WILDCARD)].length
}

/** Captures, and braces that are none. */
function bracesOf(segment: string): string[] {
  return [...segment.matchAll(/\{[^{}]*\}|[{}]/g)].map(([text]) => text)
}

function isCapture(text: string): boolean {
  return CAPTURES.some((name) => text === `{${name}}`)
}

function capturesIn(segments: readonly string[]): Capture[] {
  return segments.flatMap(bracesOf).map((text) => text.slice(1, -1) as Capture)
}
