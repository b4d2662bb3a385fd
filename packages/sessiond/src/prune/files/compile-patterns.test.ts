import { expect, test } from 'vitest'
import { compilePatterns, type Match } from './compile-patterns.ts'

const NONE = { group: null, session: null, epoch: null, ids: [] as string[] }

/** Takes a path through the patterns as a walk would; a `/` at its end makes it a folder. */
function match(rules: readonly { readonly patterns: readonly string[]; prefix?: string[] }[], path: string) {
  const matcher = compilePatterns(rules.map(({ patterns, prefix = [] }) => ({ patterns, prefix })))
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
  expect(found).toEqual(expected === null ? null : { rule: 0, captures: { ...NONE, ...expected } })
})

test('gives an entry to the first rule, and there to the first pattern, that fits', () => {
  const rules = [{ patterns: ['b*', '{id}'] }, { patterns: ['a*'] }, { patterns: ['{session}'] }]
  expect(match(rules, 'ab')).toEqual({ rule: 0, captures: { ...NONE, ids: ['ab'] } })
  expect(match(rules.slice(1), 'ab')).toEqual({ rule: 0, captures: NONE })
  expect(match(rules.slice(1), 'cb')).toEqual({ rule: 1, captures: { ...NONE, session: 'cb' } })
})

test('takes the way to a nested root by its letters, whatever they mean in a pattern', () => {
  expect(match([{ prefix: ['*', '{id}', '**'], patterns: ['{id}'] }], '*/{id}/**/x')?.captures.ids).toEqual(['x'])
  expect(match([{ prefix: ['*'], patterns: ['{id}'] }], 'a/x')).toBeNull()
})

test('goes only where a pattern can still fit', () => {
  const { start, enter } = compilePatterns([{ prefix: [], patterns: ['a/b/*', 'c/**/d', 'e'] }])
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
    { prefix: [], patterns: ['**/a/**/a/**/a/**/a/**/*a*a*a*a*a*b'] },
  ])
  let at = start
  for (let depth = 0; depth < 1_000; depth += 1) at = enter(at, 'a')
  expect(at.length).toBeLessThan(12)
  expect(matchFile(at, 'a'.repeat(60))).toBeNull()
})
