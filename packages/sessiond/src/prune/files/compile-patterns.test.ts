import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePatterns, type Match, type PatternSource } from './compile-patterns.ts'

const NONE = { group: null, session: null, epoch: null, ids: [] as string[] }

/** Takes a path through the patterns as a walk would; a `/` at its end makes it a folder. */
function match(rules: readonly (Partial<PatternSource> & Pick<PatternSource, 'patterns'>)[], path: string) {
  const matcher = compilePatterns(rules.map((rule) => ({ prefix: [], keep: [], ...rule })))
  const isFolder = path.endsWith('/')
  const names = (isFolder ? path.slice(0, -1) : path).split('/')
  const last = names.pop() ?? ''
  let at = matcher.start
  for (const name of names) at = matcher.enter(at, name)
  return isFolder ? matcher.matchFolder(at, last) : matcher.matchFile(at, last)
}

test.each<[pattern: string, path: string, expected: Partial<Match['captures']> | null]>([
  ['a.log', 'a.log', {}],
  ['a.log', 'aXlog', null],
  ['a.log', 'A.log', null],
  ['a.log', 'b/a.log', null],
  ['*', 'anything', {}],
  ['*', '.hidden', {}],
  ['*', 'two\nlines', {}],
  ['*', 'a/b', null],
  ['*.log', '.log', {}],
  ['*.log', 'x.log.gz', null],
  ['a*b*c', 'abc', {}],
  ['a*b*c', 'a-b-c-b-c', {}],
  ['a*b*c', 'acb', null],
  ['a*a', 'a', null],
  ['a*a', 'aa', {}],
  ['*a*', 'bab', {}],
  ['a*b*b', 'ab', null],
  ['{id}a', 'a', null],
  ['{id}a', 'aa', { ids: ['a'] }],
  ['{id}{id}', 'abc', { ids: ['a', 'ab', 'bc', 'c'] }],
  ['*{id}', 'abc', { ids: ['abc', 'bc', 'c'] }],
  ['{id}-*', 'a-b-c', { ids: ['a', 'a-b'] }],
  ['{id}--{id}', '----', { ids: ['-'] }],
  ['{id}--{id}', '---', null],
  ['(a+).log', '(a+).log', {}],
  ['(a+).log', 'aa.log', null],
  ['[ab]', 'a', null],
  ['{other}', '{other}', {}],
  ['{other}', 'x', null],
  ['{id}', 'x', { ids: ['x'] }],
  ['{id}.jsonl', '.jsonl', null],
  ['{id}.jsonl', 'a.jsonl', { ids: ['a'] }],
  ['{id}.jsonl', 'a.jsonl.jsonl', { ids: ['a.jsonl'] }],
  ['{id}.jsonl', 'a\nb.jsonl', { ids: ['a\nb'] }],
  ['{id}.jsonl', 'ä🙂.jsonl', { ids: ['ä🙂'] }],
  ['{id}-agent-{id}.json', 'a-agent-b.json', { ids: ['a', 'b'] }],
  ['{id}-agent-{id}.json', 'x-agent-1-agent-2.json', { ids: ['x', 'x-agent-1', '1-agent-2', '2'] }],
  ['**/{id}/**/x', 'a/b/c/x', { ids: ['c', 'b', 'a'] }],
  ['{group}/{session}/runs/{epoch}.log', 'g/s/runs/12.log', { group: 'g', session: 's', epoch: '12' }],
  ['{group}/{session}/runs/{epoch}.log', 'g/s/12.log', null],
  ['{session}/{session}.log', 'a/b.log', { session: 'a' }],
  ['**/a.log', 'a.log', {}],
  ['**/a.log', 'x/y/z/a.log', {}],
  ['**/a.log', 'x/a.log/b', null],
  ['x/**/y/*', 'x/y/1', {}],
  ['x/**/y/*', 'x/a/y/b/y/1', {}],
  ['x/**/y/*', 'x/a/1', null],
  ['**/**/a', 'a', {}],
  ['**', 'a/b/c', {}],
  ['a/**', 'a/b/c', {}],
  ['a/**', 'a', null],
  ['{session}/**/{id}.txt', 's/a/b/i.txt', { session: 's', ids: ['i'] }],
  ['a/', 'a/', {}],
  ['a/', 'a', null],
  ['a', 'a/', null],
  ['{id}/', 'x/', { ids: ['x'] }],
  ['**/tool-results/', 'a/b/tool-results/', {}],
  ['', 'a', null],
  ['../a', 'a', null],
  ['./a', 'a', null],
])('pattern %j finds %j as %j', (pattern, path, expected) => {
  const found = match([{ patterns: [pattern] }], path)
  expect(found).toEqual(expected === null ? null : { rule: 0, captures: { ...NONE, ...expected }, isKept: false })
})

test('gives an entry to the first rule, and there to the first pattern, that fits', () => {
  const rules = [{ patterns: ['b*', '{id}'] }, { patterns: ['a*'] }, { patterns: ['{session}'] }]
  expect(match(rules, 'ab')).toEqual({ rule: 0, captures: { ...NONE, ids: ['ab'] }, isKept: false })
  expect(match(rules.slice(1), 'ab')).toEqual({ rule: 0, captures: NONE, isKept: false })
  expect(match(rules.slice(1), 'cb')).toEqual({ rule: 1, captures: { ...NONE, session: 'cb' }, isKept: false })
})

test('takes the way to a nested root by its letters, whatever they mean in a pattern', () => {
  expect(match([{ prefix: ['*', '{id}', '**'], patterns: ['{id}'] }], '*/{id}/**/x')?.captures.ids).toEqual(['x'])
  expect(match([{ prefix: ['*'], patterns: ['{id}'] }], 'a/x')).toBeNull()
})

test('goes only where a pattern can still fit', () => {
  const { start, enter } = compilePatterns([{ prefix: [], keep: [], patterns: ['a/b/*', 'c/**/d', 'e'] }])
  const isOpen = (...names: string[]) => names.reduce((at, name) => enter(at, name), start).length > 0
  expect(isOpen('a')).toBe(true)
  expect(isOpen('a', 'b')).toBe(true)
  expect(isOpen('a', 'b', 'x')).toBe(false)
  expect(isOpen('a', 'x')).toBe(false)
  expect(isOpen('c', 'x', 'd', 'y')).toBe(true)
  expect(isOpen('e')).toBe(false)
  expect(isOpen('x')).toBe(false)
})

test('stays small and quick where a pattern could branch at every name', () => {
  const { start, enter, matchFile } = compilePatterns([
    { prefix: [], keep: [], patterns: ['**/a/**/a/**/a/**/a/**/*a*a*a*a*a*b'] },
  ])
  let at = start
  for (let depth = 0; depth < 1_000; depth += 1) at = enter(at, 'a')
  expect(at.length).toBeLessThan(12)
  expect(matchFile(at, 'a'.repeat(255))).toBeNull()
})

test('(F4) finds an id by any reading of the name, as trying every way to share the name out does', () => {
  const anyPart = fc.constantFrom('*', '{id}', 'a', 'b', '.')
  const property = fc.property(
    fc.array(anyPart, { minLength: 1, maxLength: 7 }),
    fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 7 }),
    (parts, name) => {
      const pattern = parts.join('')
      fc.pre(!pattern.includes('**'))
      const readings = readingsOf(parts, name)
      const ids = match([{ patterns: [pattern] }], name)?.captures.ids ?? null
      expect(ids === null ? null : new Set(ids)).toEqual(readings.length === 0 ? null : new Set(readings.flat()))
    },
  )
  fc.assert(property, { numRuns: 3_000 })
})

/** The ids of every way to share a name out among the parts of a pattern. */
function readingsOf([part, ...rest]: readonly string[], name: string): readonly (readonly string[])[] {
  if (part === undefined) return name === '' ? [[]] : []
  if (part !== '*' && part !== '{id}') return name.startsWith(part) ? readingsOf(rest, name.slice(part.length)) : []
  const least = part === '*' ? 0 : 1
  return Array.from({ length: name.length + 1 - least }, (_, index) => index + least).flatMap((length) =>
    readingsOf(rest, name.slice(length)).map((ids) => (part === '*' ? ids : [name.slice(0, length), ...ids])),
  )
}

test('(F4) keeps what may bear more ids than are told apart, and is quick about it', () => {
  const found = match([{ patterns: ['{id}-{id}-{id}'] }], '-'.repeat(255))
  expect(found?.isKept).toBe(true)
  expect(found?.captures.ids.length).toBeLessThan(32)
  const deep = match([{ patterns: ['**/{id}/**/x'] }], `${Array.from({ length: 150 }, (_, i) => i).join('/')}/x`)
  expect(deep).toMatchObject({ isKept: true, captures: { ids: { length: 24 } } })
  expect(match([{ patterns: ['{id}-{id}'] }], 'a-b-c-d-e-f-g-h-i-j-k')?.isKept).toBe(false)
})

test.each<[patterns: readonly string[], path: string, isKept: boolean]>([
  [['tmp/**/*'], 'tmp/important/notes.md', true],
  [['tmp/**/*'], 'tmp/a/important/b/notes.md', true],
  [['tmp/**/*'], 'tmp/not-important/notes.md', false],
  [['*/*'], 'important/a', true],
  [['x-{id}/*', 'im*/**/a'], 'important/a', true],
  [['*/*/'], 'important/a/', true],
  // The session of that name is not meant, nor is what the pattern spells out.
  [['{session}/*/a'], 'important/x/a', false],
  [['{group}/*/a'], 'important/x/a', false],
  [['important/*'], 'important/a', false],
])('of %j in a folder that is kept, %s stays: %s', (patterns, path, isKept) => {
  expect(match([{ patterns, keep: ['important'] }, { patterns: ['**/*'] }], path)).toMatchObject({ rule: 0, isKept })
})

test.each<[earlier: readonly string[], unit: string, folder: string, isUnit: boolean]>([
  [['w/.claude/debug/*'], 'w/*/', 'w/.claude/', false],
  [['w/.claude/debug/*'], 'w/*/', 'w/tmp/', true],
  [['w/logs/**/*.log'], 'w/**/old/', 'w/logs/old/', false],
  [['w/logs/**/*.log'], 'w/**/old/', 'w/tmp/old/', true],
  [['w/{id}.json'], 'w/*/', 'w/a.json/', true],
  [['w/a/'], 'w/*/', 'w/b/', true],
  [['w/a/b/'], 'w/*/', 'w/a/', false],
])('(F4) after %j, %s takes %s as one unit: %s', (earlier, unit, folder, isUnit) => {
  for (const rules of [[{ patterns: earlier }, { patterns: [unit] }], [{ patterns: [...earlier, unit] }]]) {
    expect(match(rules, folder)?.rule ?? null).toBe(isUnit ? rules.length - 1 : null)
  }
})

test('(F4) finds nothing but what belongs to earlier patterns within a folder that is no unit for their sake', () => {
  const rules = [{ patterns: ['w/a/{id}.log'] }, { patterns: ['w/*/'] }, { patterns: ['w/**/*'] }]
  expect(match(rules, 'w/a/x.log')).toMatchObject({ rule: 0, captures: { ids: ['x'] } })
  expect(match(rules, 'w/a/credentials')).toBeNull()
  expect(match(rules, 'w/a/b/')).toBeNull()
  expect(match(rules, 'w/file')?.rule).toBe(2)
})
