import { LEFTOVER_PREFIX } from '../model/artifact.ts'

/** The captures a pattern may hold. */
const CAPTURES = ['group', 'session', 'epoch', 'id'] as const
export type Capture = (typeof CAPTURES)[number]

const MAX_CHARS = 1_000
/** No path that a program would use has as many; the pruner looks no deeper than twice as many. */
const MAX_NAMES = 100
/** No file system has longer ones. */
const MAX_NAME_BYTES = 255
/** Patterns are checked against each other by trying every way to read a name: with more of them that takes long. */
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
  return neverFault(segments) ?? twiceFault(segments) ?? doubtFault(segments)
}

/** Of names that no file bears, or that none is looked for under. */
function neverFault(segments: readonly string[]): { readonly rule: string; readonly cure: string } | undefined {
  if (segments.length > MAX_NAMES) {
    return {
      rule: `holds a pattern with more than ${MAX_NAMES} names, so that it could never match`,
      cure: 'Shorten it.',
    }
  }
  if (segments.some((segment) => leastBytes(segment) > MAX_NAME_BYTES)) {
    return {
      rule: `holds a pattern with a name longer than ${MAX_NAME_BYTES} bytes, so that it could never match`,
      cure: 'Shorten it.',
    }
  }
  if (segments.every((segment) => !segment.startsWith(LEFTOVER_PREFIX))) return undefined
  return {
    rule: `holds a pattern with a name that begins with ${LEFTOVER_PREFIX}, which is what a removal under way leaves`,
    cure: 'Write the name that the folder had before: what is left of it goes with it.',
  }
}

function leastBytes(segment: string): number {
  return Buffer.byteLength(segment.replace(WILDCARD, (text) => (text === '*' ? '' : '.')))
}

function twiceFault(segments: readonly string[]): { readonly rule: string; readonly cure: string } | undefined {
  const twice = CAPTURES.find(
    (name) => name !== 'id' && capturesIn(segments).filter((each) => each === name).length > 1,
  )
  if (twice === undefined) return undefined
  return { rule: `holds a pattern with {${twice}} twice`, cure: 'Write * in the place of the second.' }
}

/**
 * Of whose it is there must be one reading: names may hold any sign that stands between two wildcards, and a file taken
 * for another session's is not protected by its own.
 */
function doubtFault(segments: readonly string[]): { readonly rule: string; readonly cure: string } | undefined {
  const [first, last] = [segments.indexOf('**'), segments.lastIndexOf('**')]
  const doubtful = segments.find((segment, index) => {
    const isCapturing = capturesIn([segment]).some((name) => name !== 'id')
    return isCapturing && (!hasOneReading(segment) || (first < index && index < last))
  })
  if (doubtful === undefined) return undefined
  return {
    rule: `holds a pattern in which ${JSON.stringify(doubtful)} can be read in several ways, so that nobody knows whose a file is`,
    cure: "Make it the only wildcard of its name, and put at most one '**' into the pattern; or write * in its place.",
  }
}

function hasOneReading(segment: string): boolean {
  // The number of a run ends where its digits do.
  return wildcardsOf(segment) === 1 || (/^[^*{]*\{epoch\}[^\d]/.test(segment) && !/\{(group|session)\}/.test(segment))
}

/** The captures of a pattern that has no fault. */
export function capturesOf(pattern: string): ReadonlySet<Capture> {
  return new Set(capturesIn(segmentsOf(pattern)))
}

/** The segments of a pattern, without the slash that makes it one of folders. */
export function segmentsOf(pattern: string): string[] {
  return (isOfFolders(pattern) ? pattern.slice(0, -1) : pattern).split('/')
}

/** The names that a pattern spells out whole. */
export function namesOf(pattern: string): string[] {
  return segmentsOf(pattern).filter(isName)
}

function isName(segment: string): boolean {
  return wildcardsOf(segment) === 0
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

/** The same of several earlier ones together. False, too, of a `later` with more than one `**`. */
export function isCoveredTogether(later: string, earlier: readonly string[]): boolean {
  return everySample(later, earlier, (path) => earlier.some((each) => fits(each, path, isOfFolders(later))))
}

/** Tells whether every folder that `later` fits may hold what `earlier` names. False, too, of more than one `**`. */
export function isNeverUnit(later: string, earlier: string): boolean {
  const ways = waysTo(earlier)
  return isOfFolders(later) && everySample(later, [earlier], (path) => ways.some((way) => fitsAll(way, path)))
}

/** From as many folders on as the longest of the others has names it makes no difference how many `**` stands for. */
function everySample(pattern: string, others: readonly string[], holds: (path: readonly string[]) => boolean): boolean {
  if (segmentsOf(pattern).filter((segment) => segment === '**').length > 1) return false
  const depths = Math.max(0, ...others.map((other) => segmentsOf(other).length))
  return Array.from({ length: depths + 1 }, (_, depth) => samplePath(pattern, depth)).every(holds)
}

/** Tells whether a folder that `folders` fits may be one that `pattern` spells out on the way to what it names. */
export function mayHold(folders: string, pattern: string): boolean {
  if (!isOfFolders(folders)) return false
  const named = waysTo(pattern).filter((way) => isName(way.at(-1) ?? ''))
  return named.some((way) => meetPaths(segmentsOf(folders), way))
}

/** Tells whether two patterns may name the same entry, or one of them what lies in a folder of the other. */
export function mayClash(one: string, other: string): boolean {
  if (isOfFolders(one) || isOfFolders(other)) return isInFolders(one, other) || isInFolders(other, one)
  return meetPaths(segmentsOf(one), segmentsOf(other))
}

function isInFolders(pattern: string, folders: string): boolean {
  if (!isOfFolders(folders)) return false
  const ways = isOfFolders(pattern) ? [...waysTo(pattern), segmentsOf(pattern)] : waysTo(pattern)
  return ways.some((way) => meetPaths(way, segmentsOf(folders)))
}

/** The folders above what a pattern names, each by its way. */
function waysTo(pattern: string): string[][] {
  const segments = segmentsOf(pattern)
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1))
}

function meetPaths(one: readonly string[], other: readonly string[]): boolean {
  // Most are told apart by the first folder that both spell out.
  for (const [index, name] of one.entries()) {
    const twin = other[index]
    if (twin === undefined || !isName(name) || !isName(twin)) break
    if (name !== twin) return false
  }
  return meet(one, other, '**', (a, b) =>
    meet(signsOf(a), signsOf(b), '*', (x, y) => x === ANY || y === ANY || x === y),
  )
}

/** Letters, `*` for any text, and one sign for any letter: a capture stands for at least one. */
function signsOf(segment: string): string[] {
  return segment.split(/(\*|\{[^{}]*\})/).flatMap((part) => (part.startsWith('{') ? [ANY, '*'] : [...part]))
}

/** Tells whether anything fits both of two sequences in which `any` stands for any number of items. */
function meet(
  one: readonly string[],
  other: readonly string[],
  any: string,
  areSame: (a: string, b: string) => boolean,
): boolean {
  // Of both, from their ends: whether what follows meets.
  let after: readonly boolean[] = []
  for (let i = one.length; i >= 0; i -= 1) {
    const row = new Array<boolean>(other.length + 1).fill(false)
    for (let j = other.length; j >= 0; j -= 1) {
      const [a, b] = [one[i], other[j]]
      if (a === undefined && b === undefined) row[j] = true
      else if (a === any || b === any) row[j] = after[j] === true || row[j + 1] === true
      else row[j] = a !== undefined && b !== undefined && after[j + 1] === true && areSame(a, b)
    }
    after = row
  }
  return after[0] === true
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
